import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { pairingProblems, topLevelProblems, violationsOf } from "./structure-rules.ts";

/** Every file of the project, whether it is committed yet or not. */
const files = execFileSync(
  "git",
  ["ls-files", "--cached", "--others", "--exclude-standard", "-z"],
  { encoding: "utf8" },
)
  .split("\0")
  .filter((file) => file !== "" && existsSync(file));

const sources = files.filter((file) => /^(bin|lib|functions)\/.*\.ts$/.test(file));

describe("the house", () => {
  test("is found", () => {
    expect(sources.length).toBeGreaterThan(50);
  });

  test.each(["bin", "lib", "functions"])("%s keeps the rules", (part) => {
    const violations = sources
      .filter((file) => file.startsWith(`${part}/`))
      .flatMap((file) => violationsOf(file, readFileSync(file, "utf8")));
    expect(violations).toEqual([]);
  });

  test("has a construct for each capability, and in each capability what belongs there", () => {
    expect(pairingProblems(files)).toEqual([]);
  });

  test("has nothing at its top that does not belong there", () => {
    expect(topLevelProblems(files)).toEqual([]);
  });
});

describe("the rules see", () => {
  test.each([
    // The core.
    ["functions/core/a.ts", 'import { b } from "../adapters/sqs/b.ts";'],
    ["functions/core/a.ts", 'import type { B } from "../adapters/sqs/b.ts";'],
    ["functions/core/a.ts", 'import { describeError } from "../runtime/telemetry.ts";'],
    ["functions/core/a.ts", 'import { b } from "../mesago/schema.ts";'],
    ["functions/core/a.ts", 'import { SQSClient } from "@aws-sdk/client-sqs";'],
    ["functions/core/a.ts", 'import type { SQSEvent } from "aws-lambda";'],
    ["functions/core/a.ts", 'import { randomBytes } from "node:crypto";'],
    ["functions/core/a.ts", 'import * as crypto from "node:crypto";'],
    ["functions/core/a.ts", 'import { readFileSync } from "node:fs";'],
    ["functions/core/a.ts", 'export * from "uuid";'],
    ["functions/core/a.ts", 'const a = await import("uuid");'],
    ["functions/core/a.ts", 'const a = require("uuid");'],
    ["functions/core/a.ts", 'type A = import("aws-lambda").SQSEvent;'],
    ["functions/core/a.ts", "const a = process.env.STAGE;"],
    ["functions/core/a.ts", "const { env } = process;"],
    ["functions/core/a.ts", "const a = Date.now();"],
    ["functions/core/a.ts", "const clock = { now: Date.now };"],
    ["functions/core/a.ts", "const { now } = Date;"],
    ["functions/core/a.ts", "const a = new Date();"],
    ["functions/core/a.ts", "const a = Date();"],
    ["functions/core/a.ts", "const a = Math.random();"],
    ["functions/core/a.ts", 'const a = Math["random"]();'],
    ["functions/core/a.ts", "const a = performance.now();"],
    ["functions/core/a.ts", "const a = crypto.randomUUID();"],
    ["functions/core/a.ts", "const a = Temporal.Now.instant();"],
    ["functions/core/a.ts", "setTimeout(() => {}, 1);"],
    ["functions/core/a.ts", 'await fetch("https://example.com");'],
    // Adapters and runtime.
    ["functions/adapters/sqs/a.ts", 'import { b } from "../../runtime/b.ts";'],
    ["functions/adapters/sqs/a.ts", 'import type { B } from "../../mesago/schema.ts";'],
    ["functions/adapters/sqs/a.ts", 'import middy from "@middy/core";'],
    ["functions/adapters/sqs/a.ts", "const a = process.env.QUEUE_URL;"],
    ["functions/runtime/a.ts", 'import { b } from "../adapters/sqs/b.ts";'],
    ["functions/runtime/a.ts", 'import { b } from "../mesago/handler.ts";'],
    ["functions/runtime/a.ts", 'import { SQSClient } from "@aws-sdk/client-sqs";'],
    ["functions/runtime/a.ts", 'import { env } from "node:process";'],
    // Capabilities.
    ["functions/mesago/handler.ts", 'import { b } from "../callback/schema.ts";'],
    ["functions/mesago/handler.ts", 'import type { B } from "../callback/schema.ts";'],
    ["functions/mesago/handler.ts", 'import { createB } from "../adapters/sqs/b.ts";'],
    ["functions/mesago/handler.ts", 'import { type A, createB } from "../adapters/sqs/b.ts";'],
    ["functions/mesago/handler.ts", 'import { loadEnv } from "../runtime/env.ts";'],
    ["functions/mesago/handler.ts", 'import { systemClock } from "../runtime/system.ts";'],
    ["functions/mesago/handler.ts", 'import { env } from "./env.ts";'],
    ["functions/mesago/handler.ts", 'import { SQSClient } from "@aws-sdk/client-sqs";'],
    ["functions/mesago/handler.ts", "const a = process.env.STAGE;"],
    ["functions/mesago/other.ts", 'import { createB } from "../adapters/sqs/b.ts";'],
    ["functions/mesago/schema.ts", 'import { createB } from "../adapters/dynamodb/b.ts";'],
    ["functions/mesago/schema.ts", 'import { messageOfItem } from "../adapters/dynamodb/b.ts";'],
    ["functions/mesago/schema.ts", 'import { marshall } from "@aws-sdk/util-dynamodb";'],
    ["functions/mesago/schema.ts", 'import { SQSClient } from "@aws-sdk/client-sqs";'],
    ["functions/mesago/env.ts", 'import { b } from "../adapters/sqs/b.ts";'],
    ["functions/mesago/env.ts", 'import { loadEnv } from "../runtime/env.ts";'],
    ["functions/mesago/index.ts", 'import { b } from "../callback/handler.ts";'],
    ["functions/mesago/index.ts", 'import { readFileSync } from "node:fs";'],
    ["functions/mesago/index.ts", "if (a) b();"],
    ["functions/mesago/index.ts", "switch (a) {}"],
    ["functions/mesago/index.ts", "const a = b ? c : d;"],
    ["functions/mesago/index.ts", "const a = b && c;"],
    ["functions/mesago/index.ts", "const a = b || c;"],
    ["functions/mesago/index.ts", "const a = b ?? c;"],
    ["functions/mesago/index.ts", "const a = b?.c;"],
    ["functions/mesago/index.ts", "for (const a of b) c(a);"],
    ["functions/mesago/index.ts", "try { a(); } catch {}"],
    // Constructs and commands.
    ["lib/a.ts", 'import { createHandler } from "../functions/mesago/handler.ts";'],
    ["lib/a.ts", 'import type { Message } from "../functions/core/message.ts";'],
    ["lib/a.ts", 'import { messagesEnv } from "../functions/adapters/dynamodb/env.ts";'],
    ["lib/a.ts", 'import { loadEnv } from "../functions/runtime/env.ts";'],
    ["lib/a.ts", 'import { b } from "../bin/b.ts";'],
    ["lib/a.ts", 'import { b } from "../test/support/b.ts";'],
    ["lib/a.ts", 'const stage = this.node.tryGetContext("stage");'],
    ["lib/torpedo-stack.ts", 'import { Queue } from "aws-cdk-lib/aws-sqs";'],
    ["lib/torpedo-stack.ts", 'import { CfnResource } from "aws-cdk-lib";'],
    ["bin/a.ts", 'app.node.getContext("stage");'],
    ["bin/a.ts", 'import { b } from "../test/support/b.ts";'],
  ])("%s: %s", (path, source) => {
    expect(violationsOf(path, source)).not.toEqual([]);
  });

  test("a capability without its construct, handler, wiring or environment", () => {
    expect(
      pairingProblems([
        "functions/core/a.ts",
        "functions/zenvia/schema.ts",
        "functions/zenvia/env.ts",
        "lib/mesago.ts",
      ]),
    ).toEqual([
      "there is no lib/zenvia.ts",
      "there is no functions/zenvia/index.ts",
      "there is no functions/zenvia/handler.ts",
    ]);
  });

  test("what lies about at the top", () => {
    expect(
      topLevelProblems(["vitest.config.ts", "src/a.ts", "lib/a.ts", ".ci/run", "README.md"]),
    ).toEqual(["vitest.config.ts", "src"]);
  });
});

describe("the rules let pass", () => {
  test.each([
    ["functions/core/a.ts", 'import * as z from "zod"; import { b } from "./b.ts";'],
    ["functions/core/a.ts", 'import { createHash, timingSafeEqual } from "node:crypto";'],
    ["functions/core/a.ts", 'import { isCountry } from "libphonenumber-js/mobile";'],
    ["functions/core/a.ts", "const iso = (at: number) => new Date(at).toISOString();"],
    ["functions/core/a.ts", "// Date.now() is not for here\nconst a = deps.clock.now();"],
    ["functions/core/a.ts", 'const a = "process.env"; const b = { process: 1, fetch: c.fetch };'],
    ["functions/adapters/sqs/a.ts", 'import { SQSClient } from "@aws-sdk/client-sqs";'],
    ["functions/adapters/sqs/a.ts", 'import { b } from "../dynamodb/items.ts";'],
    ["functions/runtime/env.ts", "const a = process.env;"],
    ["functions/runtime/a.ts", "const { process } = options; await process(body);"],
    ["functions/mesago/handler.ts", 'import type { B } from "../adapters/sqs/b.ts";'],
    ["functions/mesago/handler.ts", 'import { type A, type B } from "../adapters/sqs/b.ts";'],
    ["functions/mesago/handler.ts", 'import { readJson } from "../runtime/http.ts";'],
    ["functions/mesago/handler.ts", 'import { parse } from "./schema.ts"; const a = b ? c : d;'],
    ["functions/mesago/env.ts", 'import { messagesEnv } from "../adapters/dynamodb/env.ts";'],
    ["functions/mesago/index.ts", 'import { createHandler } from "./handler.ts";'],
    ["functions/mesago/index.ts", 'import { loadEnv } from "../runtime/env.ts";'],
    ["lib/a.ts", 'import { env } from "../functions/mesago/env.ts";'],
    ["lib/torpedo-stack.ts", 'import { CfnOutput, Stack, type StackProps } from "aws-cdk-lib";'],
    ["bin/torpedo.ts", 'app.node.tryGetContext("stage");'],
    ["bin/a.ts", 'import { b } from "../functions/adapters/dynamodb/b.ts";'],
  ])("%s: %s", (path, source) => {
    expect(violationsOf(path, source)).toEqual([]);
  });
});
