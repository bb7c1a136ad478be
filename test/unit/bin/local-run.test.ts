import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  findLiveRun,
  forgetRun,
  readEnvironment,
  recordRun,
  writeEnvironment,
} from "../../../bin/local/local-run.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "torpedo-unit-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const environment = {
  apiUrl: "http://127.0.0.1:4566/_aws/execute-api/abc",
  account: "sandbox",
  password: "secret",
  username: "sandbox-user",
  authenticationToken: "token",
  adminUsername: "sandbox-admin",
  adminAuthenticationToken: "admin-token",
  endpointUrl: "http://127.0.0.1:4566",
  region: "us-east-1",
  stage: "local",
  stackName: "torpedo-local",
  eventBusName: "torpedo-local",
};

describe("the environment file", () => {
  it("is read as it was written, and for its owner alone", async () => {
    const file = join(directory, "new", "environment.json");
    await writeEnvironment(file, environment);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readEnvironment(file)).toEqual(environment);
    expect(await readdir(join(directory, "new"))).toEqual(["environment.json"]);
  });

  it("is for its owner alone also where a looser one was there", async () => {
    const file = join(directory, "environment.json");
    await writeFile(file, "{}");
    await chmod(file, 0o644);
    await writeEnvironment(file, environment);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it("is read where an earlier version has written less", async () => {
    const file = join(directory, "environment.json");
    await writeFile(file, '{"account":"sandbox","password":"secret"}');
    expect(await readEnvironment(file)).toEqual({ account: "sandbox", password: "secret" });
  });

  it.each(["", "{", '{"password":1}'])("counts as absent where it holds %j", async (content) => {
    const file = join(directory, "environment.json");
    expect(await readEnvironment(file)).toBeUndefined();
    await writeFile(file, content);
    expect(await readEnvironment(file)).toBeUndefined();
  });
});

describe("the record of the run", () => {
  const handle = { port: 4566, keepsState: true };
  /** Above every process id there can be. */
  const NO_PROCESS = 2 ** 30;

  it("tells of nothing where all that it names has ended", async () => {
    const file = join(directory, "run.json");
    expect(await findLiveRun(file)).toBeUndefined();
    const emulator = { ...handle, pid: NO_PROCESS, temporaryDirectory: directory };
    await recordRun(file, { owner: NO_PROCESS, emulator });
    expect(await findLiveRun(file)).toBeUndefined();
  });

  it("does not take another program, which has got the same process id, for ours", async () => {
    const file = join(directory, "run.json");
    const emulator = { ...handle, pid: process.ppid, temporaryDirectory: directory };
    await recordRun(file, { owner: process.pid, emulator });
    expect(await findLiveRun(file)).toBeUndefined();
  });

  it("takes what a killed run has left behind with it", async () => {
    const file = join(directory, "run.json");
    const temporaryDirectory = await mkdtemp(join(directory, "left-"));
    await recordRun(file, { emulator: { ...handle, pid: NO_PROCESS, temporaryDirectory } });
    await forgetRun(file);
    expect(await readdir(directory)).toEqual([]);
    await forgetRun(file);
  });

  it("is written whole or not at all", async () => {
    const file = join(directory, "run.json");
    await recordRun(file, { owner: 1 });
    await recordRun(file, { owner: 2 });
    expect(JSON.parse(await readFile(file, "utf8"))).toEqual({ owner: 2 });
    expect(await readdir(directory)).toEqual(["run.json"]);
  });
});
