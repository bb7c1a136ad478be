import { chmod, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as z from "zod";
import { type EmulatorHandle, emulatorHandleSchema, runsStill } from "./emulator.ts";
import { commandOf } from "./processes.ts";

/** The files of local runs, all below `.local`. */
export function localFiles(localDirectory: string) {
  return {
    environment: join(localDirectory, "environment.json"),
    run: join(localDirectory, "run.json"),
    state: join(localDirectory, "ministack-state"),
    emulatorLog: join(localDirectory, "ministack.log"),
    deployLog: join(localDirectory, "deploy.log"),
    deployment: join(localDirectory, "deployment"),
  };
}

const environmentSchema = z.object({
  /** Where clients send to, without a slash at its end. */
  apiUrl: z.url(),
  account: z.string(),
  password: z.string(),
  /** A regular user of the account's. */
  username: z.string(),
  authenticationToken: z.string(),
  adminUsername: z.string(),
  adminAuthenticationToken: z.string(),
  /** The emulator's, for the AWS SDK and CLI. */
  endpointUrl: z.url(),
  region: z.string(),
  stage: z.string(),
  stackName: z.string(),
  eventBusName: z.string(),
});
/** What other programs need to use a local run; `.local/environment.json`. */
export type LocalEnvironment = z.infer<typeof environmentSchema>;

const knownEnvironmentSchema = environmentSchema.partial();
/** What is known of a run, of which an earlier version may have written less. */
type KnownEnvironment = z.infer<typeof knownEnvironmentSchema>;

/** The environment of this run or the one before it; undefined where there is none to be read. */
export async function readEnvironment(file: string): Promise<KnownEnvironment | undefined> {
  return readJson(file, knownEnvironmentSchema);
}

/** Writes it for its owner alone: it holds secrets. */
export async function writeEnvironment(file: string, environment: LocalEnvironment): Promise<void> {
  await writeJson(file, environment);
}

const runSchema = z.object({
  /** The `npm start` that stays in the foreground or is still at work. */
  owner: z.number().int().optional(),
  emulator: emulatorHandleSchema.optional(),
});
/** The local run under way; `.local/run.json`, by which `npm stop` finds it. */
export type LocalRun = z.infer<typeof runSchema>;

/** Something of this project that runs: who, of what is recorded. */
export interface LiveRun {
  readonly owner: number | undefined;
  readonly emulator: EmulatorHandle | undefined;
}

/** What of the recorded run is still running; undefined where nothing is. */
export async function findLiveRun(file: string): Promise<LiveRun | undefined> {
  const run = await readJson(file, runSchema);
  if (!run) return undefined;
  const { owner, emulator } = run;
  const ownerLives =
    owner !== undefined && ((await commandOf(owner))?.includes("local.ts") ?? false);
  const emulatorLives = emulator !== undefined && (await runsStill(emulator));
  if (!ownerLives && !emulatorLives) return undefined;
  return {
    owner: ownerLives ? owner : undefined,
    emulator: emulatorLives ? emulator : undefined,
  };
}

/** Records a run, so that another process can end it. */
export async function recordRun(file: string, run: LocalRun): Promise<void> {
  await writeJson(file, run);
}

/** Forgets a run that has ended, and removes what it could not if it was killed. */
export async function forgetRun(file: string): Promise<void> {
  const run = await readJson(file, runSchema);
  if (run?.emulator) await rm(run.emulator.temporaryDirectory, { recursive: true, force: true });
  await rm(file, { force: true });
}

async function readJson<T>(file: string, schema: z.ZodType<T>): Promise<T | undefined> {
  try {
    return schema.safeParse(JSON.parse(await readFile(file, "utf8"))).data;
  } catch {
    // Not there, or not written to its end.
    return undefined;
  }
}

async function writeJson(file: string, value: unknown): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const unfinished = `${file}.${process.pid}`;
  await writeFile(unfinished, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  // The mode above is only for a file that is new.
  await chmod(unfinished, 0o600);
  await rename(unfinished, file);
}
