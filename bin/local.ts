import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { Command, InvalidArgumentError, Option } from "commander";
import { openDirectory } from "./directory-client.ts";
import { deployStack } from "./local/deploy.ts";
import {
  type Emulator,
  type EmulatorHandle,
  endpointOf,
  startEmulator,
  stopEmulator,
} from "./local/emulator.ts";
import { describeFailure, Fault, Interrupted } from "./local/fault.ts";
import { createFollower, formatEvent } from "./local/follow.ts";
import { localAws } from "./local/local-aws.ts";
import {
  findLiveRun,
  forgetRun,
  type LiveRun,
  type LocalEnvironment,
  localFiles,
  readEnvironment,
  recordRun,
  writeEnvironment,
} from "./local/local-run.ts";
import { askToEnd, killProcess, waitUntilEnded } from "./local/processes.ts";
import { Progress } from "./local/progress.ts";
import { LOCAL_DIRECTORY } from "./local/project.ts";
import { ensureSandbox, waitForApi } from "./local/sandbox-account.ts";
import { welcome } from "./local/welcome.ts";

const STAGE = "local";
const DEFAULT_PORT = 4566;
const EXIT_CODES: Partial<Record<NodeJS.Signals, number>> = {
  SIGHUP: 129,
  SIGINT: 130,
  SIGTERM: 143,
};
const API_TIMEOUT_MS = 30_000;
/** How long a run in the foreground may take to end when `npm stop` asks it to. */
const OWNER_GRACE_MS = 20_000;

interface StartOptions {
  /** As asked for; 4566, or that of the run that is up, where not. */
  readonly port?: number;
  readonly detach?: boolean;
  readonly fresh?: boolean;
}

const files = localFiles(LOCAL_DIRECTORY);
const progress = new Progress(process.stderr);
const debug = process.env.TORPEDO_DEBUG === "1";

const program = new Command("npm").description("Runs Torpedo on this machine");
program
  .command("start")
  .usage("-- [options]")
  .description(
    "start the local AWS, deploy the stack and create an account with users; stay and follow the messages",
  )
  .addOption(
    new Option("-p, --port <port>", `the local AWS's port on 127.0.0.1 (default: ${DEFAULT_PORT})`)
      .env("TORPEDO_PORT")
      .argParser(portNumber),
  )
  .option("-d, --detach", "return once the API answers, and leave it running")
  .option("--fresh", "forget what earlier runs have kept: accounts and messages")
  .addHelpText(
    "after",
    `
Ctrl-C stops it; \`npm stop\` stops it too, and is how a detached one ends. Accounts and messages are
kept for the next start. If it runs detached already, \`npm start -- --detach\` deploys your changes to it.
Everything it writes is in .local/: environment.json (URL, passwords, tokens), ministack.log, deploy.log.
TORPEDO_DEBUG=1 shows the stack trace of a failure.`,
  )
  .action((options: StartOptions) => exitWith(start(options)));
program
  .command("stop")
  .description("stop what `npm start` has started; does nothing where nothing runs")
  .action(() => exitWith(stop()));

function portNumber(value: string): number {
  const port = Number(value);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new InvalidArgumentError("It must be a number from 1 to 65535.");
}

/** Ends this process with the exit code that a command resolves with; of a failure, tells why. */
async function exitWith(command: Promise<number>): Promise<void> {
  let code: number;
  try {
    code = await command;
  } catch (error) {
    if (error instanceof Interrupted) {
      code = EXIT_CODES[error.signal] ?? 1;
    } else {
      console.error(`\n${describeFailure(error, debug)}`);
      code = 1;
    }
  }
  process.exit(code);
}

async function start(options: StartOptions): Promise<number> {
  const live = await findLiveRun(files.run);
  if (live) {
    const { port } = assertCanDeployTo(live, options);
    const environment = await deploy(endpointOf(port), listenForSignals());
    console.log(welcome(environment, { detached: true }));
    return 0;
  }
  await forgetRun(files.run);
  const signal = listenForSignals();
  await recordRun(files.run, { owner: process.pid });
  let emulator: Emulator | undefined;
  let leftRunning = false;
  try {
    emulator = await startLocalAws(options, signal);
    await recordRun(files.run, { owner: process.pid, emulator: emulator.handle });
    const environment = await useEmulator(emulator, options, signal);
    if (options.detach) {
      console.log(welcome(environment, { detached: true }));
      await recordRun(files.run, { emulator: emulator.handle });
      emulator.release();
      leftRunning = true;
    }
    return 0;
  } finally {
    if (!leftRunning) {
      if (emulator) await progress.step("Stopping", emulator.stop);
      await forgetRun(files.run);
    }
  }
}

/** Deploys to an emulator of ours and follows the messages, as long as it is there. */
async function useEmulator(
  emulator: Emulator,
  { detach }: StartOptions,
  signal: AbortSignal,
): Promise<LocalEnvironment> {
  const gone = whenGone(emulator);
  const either = AbortSignal.any([signal, gone]);
  try {
    const environment = await deploy(emulator.endpointUrl, either);
    if (!detach) await follow(environment, either);
    gone.throwIfAborted();
    return environment;
  } catch (error) {
    // What was under way may have noticed before us that the emulator has gone.
    if (!signal.aborted) await Promise.race([emulator.ended, sleep(1_000)]);
    gone.throwIfAborted();
    throw error;
  }
}

/** The emulator of a run that is up already; only a detached one takes another deployment. */
function assertCanDeployTo({ owner, emulator }: LiveRun, options: StartOptions): EmulatorHandle {
  if (owner !== undefined || !emulator) {
    throw new Fault(
      "Torpedo is already running: another `npm start` of this project has it.",
      "End that one with Ctrl-C, or with `npm stop`.",
    );
  }
  const { port } = emulator;
  if (!options.detach) {
    throw new Fault(
      `Torpedo is already running, detached, on port ${port}.`,
      "`npm stop` ends it; `npm start -- --detach` deploys your changes to it.",
    );
  }
  if (options.fresh || (options.port ?? port) !== port) {
    throw new Fault(
      `Torpedo is already running, detached, on port ${port}.`,
      "End it with `npm stop` first.",
    );
  }
  return emulator;
}

async function startLocalAws(options: StartOptions, signal: AbortSignal): Promise<Emulator> {
  if (options.fresh) await rm(files.state, { recursive: true, force: true });
  return progress.step("Starting the local AWS", (onProgress) =>
    startEmulator({
      port: options.port ?? DEFAULT_PORT,
      stateDirectory: files.state,
      logFile: files.emulatorLog,
      signal,
      onProgress,
    }),
  );
}

/** Deploys the stack, makes sure of the account and writes down where everything is. */
async function deploy(endpointUrl: string, signal: AbortSignal): Promise<LocalEnvironment> {
  const { apiUrl, aws, outputs, stackName } = await progress.step(
    "Deploying the stack",
    (onProgress) =>
      deployStack({
        endpointUrl,
        stage: STAGE,
        workDirectory: files.deployment,
        logFile: files.deployLog,
        skipUnchanged: true,
        signal,
        onProgress,
      }),
  );
  return progress.step("Preparing the account", async () => {
    const known = await readEnvironment(files.environment);
    const credentials = await ensureSandbox(openDirectory(outputs, { ...aws }), known);
    const environment = {
      apiUrl,
      ...credentials,
      endpointUrl,
      region: aws.region,
      stage: STAGE,
      stackName,
      eventBusName: outputs.EventBusName,
    };
    await writeEnvironment(files.environment, environment);
    await waitForApi(apiUrl, credentials, { signal, timeoutMs: API_TIMEOUT_MS });
    return environment;
  });
}

/** Prints every change of state until the run is interrupted, which is its good end. */
async function follow(environment: LocalEnvironment, signal: AbortSignal): Promise<void> {
  const { endpointUrl, eventBusName } = environment;
  const follower = await createFollower(localAws(endpointUrl), eventBusName);
  console.log(welcome(environment, { detached: false }));
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  try {
    await follower.run((event) => {
      console.log(event ? formatEvent(event, timeZone) : "(an event unknown to docs/events.md)");
    }, signal);
  } finally {
    // What cannot be removed here, the next run takes over.
    await follower.remove().catch(() => undefined);
  }
}

/** Aborts, with the failure to tell of, when the emulator ends by itself. */
function whenGone(emulator: Emulator): AbortSignal {
  const controller = new AbortController();
  void emulator.ended.then((reason) =>
    controller.abort(
      new Fault(
        `The local AWS has ended by itself: ${reason}.`,
        `What it said is in ${files.emulatorLog}; \`npm start\` starts it again.`,
      ),
    ),
  );
  return controller.signal;
}

async function stop(): Promise<number> {
  const live = await findLiveRun(files.run);
  if (!live) {
    await forgetRun(files.run);
    console.log("Nothing is running.");
    return 0;
  }
  await progress.step("Stopping", async () => {
    if (live.owner !== undefined) {
      // It stops what it has started itself.
      askToEnd(live.owner);
      if (!(await waitUntilEnded(live.owner, OWNER_GRACE_MS))) killProcess(live.owner);
    }
    const left = await findLiveRun(files.run);
    if (left?.emulator) await stopEmulator(left.emulator);
    await forgetRun(files.run);
  });
  return 0;
}

/**
 * Aborts at the first signal that asks to end, so that everything can be stopped in good order. At
 * one that comes later ends at once; npm passes a Ctrl-C on that the terminal has sent us already,
 * which is not a second one.
 */
function listenForSignals(): AbortSignal {
  const controller = new AbortController();
  let firstAt = 0;
  const end = (name: NodeJS.Signals) => {
    if (!controller.signal.aborted) {
      firstAt = Date.now();
      controller.abort(new Interrupted(name));
    } else if (name !== "SIGHUP" && Date.now() - firstAt > 1_000) {
      process.exit(EXIT_CODES[name]);
    }
  };
  for (const name of Object.keys(EXIT_CODES) as NodeJS.Signals[]) process.on(name, end);
  // Nobody reads us any more.
  const hangUp = () => controller.abort(new Interrupted("SIGHUP"));
  process.stdout.on("error", hangUp);
  process.stderr.on("error", hangUp);
  return controller.signal;
}

await program.parseAsync();
