import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type * as z from "zod";
import { SORT_KEY } from "../../functions/adapters/dynamodb/message-keys.ts";

const REGION = "sa-east-1";

/** The functions behind the HTTP API, and the request with which each asks the directory. */
const REQUESTS: Readonly<Record<string, { readonly path: string; readonly headers: object }>> = {
  admin: { path: "/admin/v1/account", headers: { username: "u", authenticationtoken: "t" } },
  ingress: { path: "/carriers/kannel/dlr", headers: { authorization: basic("carrier:secret") } },
  mesago: { path: "/api/get-sms-status/id/x", headers: { authorization: basic("a:secret") } },
  wavy: { path: "/v1/send-sms", headers: { username: "u", authenticationtoken: "t" } },
};

function basic(credentials: string): string {
  return `Basic ${Buffer.from(credentials).toString("base64")}`;
}

/** What no function can read: after so many deliveries each sets it aside. */
const UNREADABLE = {
  Records: [
    {
      messageId: "m",
      eventID: "e",
      eventName: "MODIFY",
      eventSource: "aws:sqs",
      body: "unreadable",
      attributes: { ApproximateReceiveCount: "100" },
      dynamodb: {
        SequenceNumber: "1",
        Keys: { sk: { S: SORT_KEY.message } },
        NewImage: { version: { N: "99" } },
      },
    },
  ],
};

function eventFor(capability: string): unknown {
  const request = REQUESTS[capability];
  if (!request) return UNREADABLE;
  const { path, headers } = request;
  return {
    version: "2.0",
    routeKey: `ANY ${path}`,
    rawPath: path,
    headers,
    requestContext: { requestId: "r", http: { method: "GET", path, sourceIp: "192.0.2.1" } },
    isBase64Encoded: false,
  };
}

const VALUES = [
  "x",
  "1",
  "true",
  "{}",
  "[]",
  "singles",
  '{"sandbox":{"kind":"sandbox"}}',
  '[{"carrier":"sandbox"}]',
];

/** The variables that a function asks for, with values that it accepts. */
async function environmentOf(
  capability: string,
  endpoint: string,
): Promise<Record<string, string>> {
  const { env } = (await import(`../../functions/${capability}/env.ts`)) as { env: z.ZodObject };
  return Object.fromEntries(
    Object.entries(env.shape).map(([name, schema]) => {
      const accepts = (value: string) => (schema as z.ZodType).safeParse(value).success;
      const options = (schema as { readonly options?: readonly string[] }).options ?? [];
      const values = name.endsWith("QUEUE_URL") ? [`${endpoint}/queue`] : [...VALUES, ...options];
      return [name, values.find(accepts) ?? `nothing is right for ${name}`];
    }),
  );
}

/** Runs the handler as Lambda's runtime does, and says what it answered. */
const RUN = `
  const { handler } = await import(process.env.BUNDLE);
  const answer = await handler(JSON.parse(process.env.EVENT), { getRemainingTimeInMillis: () => 10_000 });
  process.send(answer ?? null, () => process.exit());
`;

interface Request {
  readonly target: string;
  readonly authorization: string;
  readonly token: string;
}

describe("with nothing but what Lambda has in the environment, a bundle calls AWS", () => {
  const requests: Request[] = [];
  let server: Server;

  beforeAll(async () => {
    server = createServer(async (request, response) => {
      const body = JSON.parse(await text(request)) as { MessageBody?: string };
      requests.push(describeRequest(request));
      response.setHeader("content-type", "application/x-amz-json-1.0");
      const md5 = createHash("md5")
        .update(body.MessageBody ?? "")
        .digest("hex");
      response.end(
        JSON.stringify(body.MessageBody ? { MessageId: "m", MD5OfMessageBody: md5 } : {}),
      );
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  });
  afterAll(() => server.close());

  const describeRequest = ({ headers }: IncomingMessage): Request => ({
    target: String(headers["x-amz-target"]),
    authorization: String(headers.authorization),
    token: String(headers["x-amz-security-token"]),
  });

  async function answerOf(capability: string): Promise<unknown> {
    const { port } = server.address() as AddressInfo;
    const endpoint = `http://127.0.0.1:${port}`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", RUN], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      env: {
        ...(await environmentOf(capability, endpoint)),
        AWS_REGION: REGION,
        AWS_ACCESS_KEY_ID: "AKIDLAMBDA",
        AWS_SECRET_ACCESS_KEY: "secret",
        AWS_SESSION_TOKEN: "session",
        AWS_ENDPOINT_URL: endpoint,
        BUNDLE: pathToFileURL(join("dist", capability, "index.mjs")).href,
        EVENT: JSON.stringify(eventFor(capability)),
      },
    });
    const errors = child.stderr ? text(child.stderr) : "";
    return new Promise((resolve, reject) => {
      child.once("message", resolve);
      child.once("exit", async () => reject(new Error(`no answer: ${await errors}`)));
    });
  }

  it.each(readdirSync("dist"))("%s", async (capability) => {
    requests.length = 0;
    const answer = await answerOf(capability);
    const isApi = capability in REQUESTS;
    expect(answer).toMatchObject(isApi ? { statusCode: 401 } : { batchItemFailures: [] });
    expect(requests.length).toBeGreaterThan(0);
    const service = isApi ? "dynamodb" : "sqs";
    for (const { target, authorization, token } of requests) {
      expect(target).toMatch(isApi ? /^DynamoDB_20120810\./ : /^AmazonSQS\.SendMessage$/);
      expect(authorization).toMatch(
        new RegExp(
          `^AWS4-HMAC-SHA256 Credential=AKIDLAMBDA/\\d{8}/${REGION}/${service}/aws4_request`,
        ),
      );
      expect(token).toBe("session");
    }
  });
});

/** Loads what a bundle loads when it is needed. */
const LOAD_PARTS = `
  const parts = JSON.parse(process.env.PARTS);
  for (const part of parts) await import(part);
  process.stdout.write(String(parts.length));
`;

it.each(readdirSync("dist"))("the parts of %s that are loaded later can be", async (capability) => {
  const directory = join("dist", capability);
  const parts = readdirSync(directory)
    .filter((file) => file.endsWith(".mjs") && file !== "index.mjs")
    .map((file) => pathToFileURL(join(directory, file)).href);
  const child = spawn(process.execPath, ["--input-type=module", "--eval", LOAD_PARTS], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { PARTS: JSON.stringify(parts) },
  });
  expect(await text(child.stdout)).toBe(String(parts.length));
});
