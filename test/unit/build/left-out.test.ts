import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Metafile } from "esbuild";
import fc from "fast-check";
import {
  getCountries,
  getExampleNumber,
  parsePhoneNumberFromString,
} from "libphonenumber-js/mobile";
import examples from "libphonenumber-js/mobile/examples";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { bundleOptions } from "../../../bin/build/bundle-options.ts";
import { LeavingOut } from "../../../bin/build/left-out.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "torpedo-left-out-"));
});
afterAll(() => rmSync(directory, { recursive: true }));
afterEach(() => {
  vi.unstubAllEnvs();
});

/** Bundles a module, as functions are or with all that its packages have, and loads it. */
async function bundled<T>(contents: string, { isWhole = false } = {}): Promise<T> {
  const outfile = join(directory, `${Math.random()}.mjs`);
  await build({
    ...bundleOptions,
    sourcemap: false,
    ...(isWhole ? { alias: {} } : { plugins: [new LeavingOut().plugin] }),
    stdin: { contents, resolveDir: "." },
    format: "esm",
    banner: {
      js: 'import{createRequire}from"node:module";const require=createRequire(import.meta.url);',
    },
    outfile,
  });
  return (await import(pathToFileURL(outfile).href)) as T;
}

describe("numbers are read as with all that libphonenumber knows", () => {
  type Parse = typeof parsePhoneNumberFromString;
  let parse: Parse;
  beforeAll(async () => {
    const bundle = await bundled<{ parsePhoneNumberFromString: Parse }>(
      'export { parsePhoneNumberFromString } from "libphonenumber-js/mobile";',
    );
    parse = bundle.parsePhoneNumberFromString;
  });

  const reading = (number: ReturnType<Parse>) =>
    number && [number.number, number.country, number.nationalNumber, number.isValid()];

  it("where they are examples of their country's, with and without its code", () => {
    for (const country of getCountries()) {
      const example = getExampleNumber(country, examples);
      for (const written of [example?.number ?? "", example?.nationalNumber ?? ""]) {
        const options = { defaultCountry: country, extract: false } as const;
        const read = reading(parse(written, options));
        expect(read).toEqual(reading(parsePhoneNumberFromString(written, options)));
        expect(read?.at(-1)).toBe(true);
      }
    }
  });

  it("whatever is written in whichever country", () => {
    const country = fc.constantFrom(...getCountries());
    const digits = fc.stringMatching(/^\+?[0-9]{3,15}$/);
    fc.assert(
      fc.property(country, digits, (defaultCountry, written) => {
        const options = { defaultCountry, extract: false } as const;
        expect(reading(parse(written, options))).toEqual(
          reading(parsePhoneNumberFromString(written, options)),
        );
      }),
      { numRuns: 5_000 },
    );
  });
});

/** What clients of the SDK ask AWS for, at their own endpoints. */
const REQUESTS = `
  import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
  import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
  import { DeleteScheduleCommand, SchedulerClient } from "@aws-sdk/client-scheduler";
  import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
  import { SendEmailCommand, SESv2Client } from "@aws-sdk/client-sesv2";
  import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";

  const calls = [
    [DynamoDBClient, new GetItemCommand({ TableName: "t", Key: { pk: { S: "é" } } })],
    [EventBridgeClient, new PutEventsCommand({ Entries: [{ Source: "s", Detail: "{}", Time: new Date(0) }] })],
    [SchedulerClient, new DeleteScheduleCommand({ Name: "n", GroupName: "g", ClientToken: "c" })],
    [SecretsManagerClient, new GetSecretValueCommand({ SecretId: "s" })],
    [SESv2Client, new SendEmailCommand({ Content: { Raw: { Data: new Uint8Array([1]) } } })],
    [SQSClient, new SendMessageCommand({ QueueUrl: "https://sqs.sa-east-1.amazonaws.com/1/q", MessageBody: "b" })],
  ];
  export const requests = () => Promise.all(calls.map(async ([Client, command]) => {
    let request;
    const handle = async (it) => { request = it; throw new Error("enough"); };
    const client = new Client({ requestHandler: { handle }, maxAttempts: 1 });
    await client.send(command).catch((error) => { if (!request) throw error; });
    const { method, protocol, hostname, path, headers, body } = request;
    return { method, protocol, hostname, path, headers, body: [...(body ?? "")].join() };
  }));
`;

interface Asking {
  readonly requests: () => Promise<readonly { readonly headers: Record<string, string> }[]>;
}

describe("AWS is asked as with all of the SDK", () => {
  const ENVIRONMENT = {
    AWS_REGION: "sa-east-1",
    AWS_ACCESS_KEY_ID: "AKIDLAMBDA",
    AWS_SECRET_ACCESS_KEY: "secret",
    AWS_SESSION_TOKEN: "session",
    AWS_CONFIG_FILE: "nowhere",
    AWS_SHARED_CREDENTIALS_FILE: "nowhere",
  };
  /** Of each try its own, or of the moment. */
  const CHANGING = ["amz-sdk-invocation-id", "user-agent", "x-amz-date", "x-amz-user-agent"];
  const withoutMoment = (text: string) =>
    text.replace(/\/\d{8}\//, "/DATE/").replace(/Signature=\w{64}$/, "Signature=…");

  async function asked(how: { readonly isWhole?: boolean }) {
    const { requests } = await bundled<Asking>(REQUESTS, how);
    return (await requests()).map(({ headers, ...rest }) => ({
      ...rest,
      headers: Object.fromEntries(
        Object.entries(headers)
          .filter(([name]) => !CHANGING.includes(name))
          .map(([name, value]) => [name, withoutMoment(value)]),
      ),
    }));
  }

  it("for the same, at the same place, in the same name", async () => {
    vi.stubEnv("AWS_ENDPOINT_URL", undefined);
    vi.stubEnv("AWS_PROFILE", undefined);
    for (const [name, value] of Object.entries(ENVIRONMENT)) vi.stubEnv(name, value);
    const lean = await asked({});
    expect(lean).toEqual(await asked({ isWhole: true }));
    for (const { headers } of lean) {
      expect(headers.authorization).toContain("Credential=AKIDLAMBDA/DATE/sa-east-1/");
      expect(headers["x-amz-security-token"]).toBe("session");
    }
  });
});

describe("the list is held against the bundles", () => {
  it("and fails where there is nothing any more to leave out", () => {
    expect(() => new LeavingOut().check([])).toThrow("nothing is left out by");
  });

  it("and where something is back that was only there for what is left out", () => {
    const input = { bytesInOutput: 1 };
    const output = { bytes: 1, imports: [], exports: [], inputs: {} };
    const metafile = (path: string): Metafile => ({
      inputs: {},
      outputs: { "index.mjs": { ...output, inputs: { [path]: input } } },
    });
    const check = (path: string) => () => new LeavingOut().check([metafile(path)]);
    expect(check("node_modules/@aws-sdk/nested-clients/a.js")).toThrow("nested-clients is in");
    expect(check("node_modules/@aws-sdk/client-sqs/a.js")).not.toThrow(" is in a bundle");
  });

  it("so that whoever reaches what is left out is told", async () => {
    const { describeIt } = await bundled<{ describeIt: () => unknown }>(
      'import * as z from "zod"; export const describeIt = () => z.toJSONSchema(z.string());',
    );
    expect(describeIt).toThrow("left out of the functions' bundles");
  });
});
