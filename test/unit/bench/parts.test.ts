import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { sizeOfBundle } from "../../bench/bundle-contents.ts";
import { emptyHandler } from "../../bench/cold-start.ts";
import { sampled } from "../../bench/floor/recording.ts";
import { handler as replay } from "../../bench/floor/replay.ts";
import { growthOf } from "../../bench/growth.ts";
import { accessLogBytes, httpEvent } from "../../bench/http-events.ts";
import { parseOptions } from "../../bench/options.ts";
import { routeOf } from "../../bench/stack.ts";
import { added, awsCalls, grouped, median, OUTSIDE } from "../../bench/usage.ts";
import { sampleCounts, sampleUsage } from "./samples.ts";

const ROUTES = [
  { key: "ANY /api", functionId: "mesago" },
  { key: "ANY /api/{proxy+}", functionId: "mesago" },
  { key: "GET /carriers/{carrier}/dlr", functionId: "ingress" },
  { key: "GET /api/openapi.json", functionId: "admin" },
];

describe("a route", () => {
  test.each([
    ["POST", "/api/send-sms", "mesago", { proxy: "send-sms" }],
    ["POST", "/api", "mesago", {}],
    ["GET", "/carriers/kannel/dlr", "ingress", { carrier: "kannel" }],
    ["GET", "/api/openapi.json", "admin", {}],
  ])("takes %s %s", (method, path, functionId, pathParameters) => {
    expect(routeOf(ROUTES, method, path)).toMatchObject({ functionId, pathParameters });
  });

  test("takes nothing else", () => {
    expect(() => routeOf(ROUTES, "POST", "/carriers/kannel/dlr")).toThrow("nothing takes");
  });
});

describe("a request", () => {
  test("comes as API Gateway hands it on", () => {
    const request = { method: "GET", path: "/carriers/kannel/dlr?secret=a%20b&dlr=1" };
    expect(httpEvent(ROUTES, request, 1)).toMatchObject({
      functionId: "ingress",
      event: {
        rawPath: "/carriers/kannel/dlr",
        queryStringParameters: { secret: "a b", dlr: "1" },
        requestContext: { http: { method: "GET" } },
      },
    });
  });

  test("leaves a line in the access log", () => {
    expect(accessLogBytes('{"route":"$context.routeKey"}', "ANY /api")).toBe(21);
  });
});

describe("figures", () => {
  test("of several runs count by their median", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });

  test("of calls leave out the world's and those of others", () => {
    const calls = {
      dynamodb: { GetItem: 2 },
      carrier: { sendsms: 3 },
      customer: { POST: 1 },
      "eventbridge-to-sqs": { SendMessage: 5 },
    };
    const usages = [
      sampleUsage({ counts: sampleCounts({ calls }) }),
      sampleUsage({ by: OUTSIDE, counts: sampleCounts({ calls: { sqs: { SendMessage: 7 } } }) }),
    ];
    expect(awsCalls(usages)).toEqual({ "dynamodb.GetItem": 2 });
  });

  test("are added up and grouped by name", () => {
    expect(added([{ a: 1 }, { a: 2, b: 1 }])).toEqual({ a: 3, b: 1 });
    expect([...grouped(["ab", "ac", "b"], (it) => it[0] ?? "")]).toEqual([
      ["a", ["ab", "ac"]],
      ["b", ["b"]],
    ]);
  });

  test("grow as much as at the worst of the sizes", () => {
    const points = [1, 1.5, 1.2].map((cpuRatio) => ({
      size: 0,
      cpuMs: 1,
      awsCalls: 0,
      dollars: 1,
      cpuRatio,
      dollarRatio: 0.9,
    }));
    expect(growthOf(points, (point) => point.cpuRatio)).toBeCloseTo(0.5);
    expect(growthOf(points, (point) => point.dollarRatio)).toBe(0);
    expect(growthOf([], (point) => point.cpuRatio)).toBeNaN();
  });

  test("of many invocations come from all over", () => {
    expect(sampled([0, 1, 2, 3, 4, 5, 6, 7], 4)).toEqual([0, 2, 4, 6]);
    expect(sampled([1, 2], 4)).toEqual([1, 2]);
  });
});

describe("a floor", () => {
  test("makes a request when as many others are answered as were", async () => {
    const log: string[] = [];
    const request = (name: string, startedAfter: number, ms: number) => ({
      startedAfter,
      async make() {
        log.push(`begin ${name}`);
        await pause(ms);
        log.push(`end ${name}`);
      },
    });
    await replay([request("a", 0, 20), request("b", 0, 5), request("c", 1, 1), request("d", 3, 1)]);
    expect(log).toEqual([
      "begin a",
      "begin b",
      "end b",
      "begin c",
      "end c",
      "end a",
      "begin d",
      "end d",
    ]);
  });

  test("does not wait for what never comes", async () => {
    const made: number[] = [];
    const request = (startedAfter: number) => ({
      startedAfter,
      make: async () => made.push(startedAfter),
    });
    await replay([request(0), request(5)]);
    expect(made).toEqual([0, 5]);
  });

  test("fails where a request does", async () => {
    const make = () => Promise.reject(new Error("no"));
    await expect(replay([{ startedAfter: 0, make }])).rejects.toThrow("no");
  });
});

describe("a bundle", () => {
  test("is as large as its code, and begins with what it imports at once", () => {
    const directory = mkdtempSync(join(tmpdir(), "bundle-"));
    try {
      const index = 'import{a}from"./a-ABCDEFGH.mjs";const b=()=>import("./b-ABCDEFGH.mjs");';
      writeFileSync(join(directory, "index.mjs"), index);
      writeFileSync(join(directory, "a-ABCDEFGH.mjs"), 'import"./c-ABCDEFGH.mjs";');
      writeFileSync(join(directory, "b-ABCDEFGH.mjs"), "x".repeat(100));
      writeFileSync(join(directory, "c-ABCDEFGH.mjs"), "x".repeat(10));
      writeFileSync(join(directory, "index.mjs.map"), "x".repeat(1_000));
      const atStart = index.length + 25 + 10;
      expect(sizeOfBundle(join(directory, "index.mjs"))).toEqual({ all: atStart + 100, atStart });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test("is compared with an empty one that has the same clients", () => {
    expect(emptyHandler(["@aws-sdk/client-sqs"])).toContain("new SQSClient({})");
    expect(() => emptyHandler(["@aws-sdk/client-s3"])).toThrow("client-s3");
  });
});

describe("the command line", () => {
  test("asks for everything where it says nothing", () => {
    expect(parseOptions([])).toMatchObject({
      runs: 5,
      only: undefined,
      isQuick: false,
      builds: true,
    });
  });

  test("can ask for parts", () => {
    expect(parseOptions(["--only", "bulk,growth", "--runs", "7", "--no-build"])).toMatchObject({
      runs: 7,
      only: ["bulk", "growth"],
      builds: false,
    });
  });

  test.each([[["--runs", "none"]], [["--nothing"]]])("cannot ask for %s", (args) => {
    expect(() => parseOptions(args)).toThrow();
  });
});
