import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  cleanEnvironment,
  MINISTACK_PROGRAM,
  prepareState,
} from "../../../bin/ministack-quirks.ts";

describe("cleanEnvironment", () => {
  const clean = cleanEnvironment({
    PATH: "/usr/bin",
    HOME: "/home/me",
    HTTPS_PROXY: "http://proxy:3128",
    no_proxy: "internal",
    AWS_PROFILE: "production",
    AWS_SECRET_ACCESS_KEY: "secret",
    NODE_OPTIONS: "--inspect",
    PYTHONPATH: "/somewhere",
  });

  it("has nothing of the developer's own but what the network needs", () => {
    const names = Object.keys(clean).filter((name) => clean[name] !== undefined);
    expect(names.sort()).toEqual([
      "AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED",
      "HOME",
      "HTTPS_PROXY",
      "LANG",
      "NO_PROXY",
      "PATH",
      "TZ",
      "no_proxy",
    ]);
  });

  it("runs functions with our own Node, in UTC, and reaches loopback without a proxy", () => {
    expect(clean.PATH).toBe(`${dirname(process.execPath)}:/usr/bin`);
    expect(clean.TZ).toBe("UTC");
    expect(clean.NO_PROXY).toBe("internal,127.0.0.1,localhost");
  });
});

describe("MINISTACK_PROGRAM", () => {
  it("is recognised in a list of processes, of which every `ps` shows the whole", () => {
    const [option, program] = MINISTACK_PROGRAM;
    expect(option).toBe("-c");
    expect(program).toMatch(/^exec\("[\x20-\x7e]*ministack[\x20-\x7e]*"\)$/);
  });
});

describe("prepareState", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "torpedo-unit-"));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));
  const write = (name: string, content: unknown) =>
    writeFile(join(directory, name), JSON.stringify(content));
  const read = async (name: string): Promise<unknown> =>
    JSON.parse(await readFile(join(directory, name), "utf8"));

  it("moves queue URLs to the new port, and nothing that users have written", async () => {
    await prepareState(directory, 4566);
    await write("sqs.json", ["http://127.0.0.1:4566/0/queue", "http://127.0.0.1:4567/other"]);
    await write("dynamodb.json", ["http://127.0.0.1:4566/callbacks"]);
    await prepareState(directory, 4600);
    expect(await read("sqs.json")).toEqual([
      "http://127.0.0.1:4600/0/queue",
      "http://127.0.0.1:4567/other",
    ]);
    expect(await read("dynamodb.json")).toEqual(["http://127.0.0.1:4566/callbacks"]);
    await prepareState(directory, 4700);
    expect(await read("sqs.json")).toContain("http://127.0.0.1:4700/0/queue");
  });

  it("lets functions read a table's stream from its new beginning", async () => {
    const state = (position: number) => ({
      __ministack_format__: 2,
      payload: {
        functions: { kept: true },
        dynamodb_stream_positions: {
          __account_region_scoped__: true,
          data: { "000000000000\u0000us-east-1\u0000'mapping'": position },
        },
      },
    });
    await write("lambda.json", state(12));
    await prepareState(directory, 4566);
    expect(await read("lambda.json")).toEqual(state(0));
  });

  it("leaves a state alone that it does not understand", async () => {
    await write("lambda.json", { another: "format" });
    await prepareState(directory, 4566);
    expect(await read("lambda.json")).toEqual({ another: "format" });
  });
});
