import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { beforeEach, describe, expect, it } from "vitest";
import {
  createOpenSecret,
  UnreadableSecretError,
} from "../../../functions/adapters/secrets/secrets.ts";
import { ManualClock } from "../../support/memory.ts";
import { stubbedAws, type WireResponse } from "../../support/stub-aws.ts";

const ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:operator-AbCdEf";

describe("a secret", () => {
  let clock: ManualClock;
  let answer: WireResponse;
  let aws: ReturnType<typeof stubbedAws>;

  /** What the service has from now on. */
  const has = (SecretString: string) => {
    answer = { body: { ARN, Name: "operator", SecretString } };
  };
  const fails = (status: number, type: string) => {
    answer = { status, body: { __type: type, message: "no" } };
  };
  const open = (arn = ARN) => openSecret(arn);
  let openSecret: ReturnType<typeof createOpenSecret>;

  beforeEach(() => {
    clock = new ManualClock();
    has('{"username":"torpedo","password":"one"}');
    aws = stubbedAws(() => answer);
    openSecret = createOpenSecret(new SecretsManagerClient(aws.config), () => clock.now());
  });

  it("is read by its ARN, once", async () => {
    const secret = open();
    expect(aws.requests).toEqual([]);
    for (let n = 0; n < 3; n += 1) {
      expect(await secret.read()).toEqual({ username: "torpedo", password: "one" });
    }
    expect(aws.requests).toMatchObject([
      { target: "secretsmanager.GetSecretValue", body: { SecretId: ARN } },
    ]);
  });

  it("is parsed once: whoever has looked at its values knows them again", async () => {
    const secret = open();
    expect(await secret.read()).toBe(await secret.read());
  });

  it("is read once for all messages that come together", async () => {
    const secret = open();
    const values = await Promise.all(Array.from({ length: 80 }, () => secret.read()));
    expect(new Set(values.map(({ password }) => password))).toEqual(new Set(["one"]));
    expect(aws.requests).toHaveLength(1);
  });

  it("is another one under another ARN", async () => {
    await open().read();
    await open(`${ARN}2`).read();
    expect(aws.requests.map(({ body }) => body.SecretId)).toEqual([ARN, `${ARN}2`]);
  });

  it("is read anew a quarter of an hour later, though nobody has refused it", async () => {
    const secret = open();
    await secret.read();
    has('{"password":"two"}');
    clock.advance(15 * 60_000 - 1_000);
    expect(await secret.read()).toMatchObject({ password: "one" });
    clock.advance(2_000);
    expect(await secret.read()).toEqual({ password: "two" });
  });

  it("is read anew where it was refused, for all who were refused, and from then on", async () => {
    const secret = open();
    await secret.read();
    has('{"password":"two"}');
    const reread = await Promise.all(Array.from({ length: 40 }, () => secret.reread()));
    expect(new Set(reread.map(({ password }) => password))).toEqual(new Set(["two"]));
    expect(await secret.read()).toEqual({ password: "two" });
    expect(aws.requests).toHaveLength(2);
  });

  it("is not asked for more often than every ten seconds, though all refuse it", async () => {
    const secret = open();
    await secret.read();
    for (let n = 0; n < 20; n += 1) {
      expect(await secret.reread()).toMatchObject({ password: "one" });
      clock.advance(500);
    }
    expect(aws.requests).toHaveLength(2);
    await secret.reread();
    expect(aws.requests).toHaveLength(3);
  });

  it("stays what it was where it cannot be read anew", async () => {
    const secret = open();
    await secret.read();
    fails(500, "InternalServiceError");
    await expect(secret.reread()).rejects.toThrow("no");
    expect(await secret.reread()).toMatchObject({ password: "one" });
    expect(await secret.read()).toMatchObject({ password: "one" });
  });

  it.each([
    ["there is none", 400, "ResourceNotFoundException"],
    ["it is not ours to read", 400, "AccessDeniedException"],
    ["the service is away", 500, "InternalServiceError"],
  ])("fails where %s, and is asked for again", async (_, status, type) => {
    const secret = open();
    fails(status, type);
    await expect(secret.read()).rejects.toThrow("no");
    has('{"password":"two"}');
    expect(await secret.read()).toEqual({ password: "two" });
  });

  it.each([
    ["no JSON", "password=very-secret"],
    ["a text", '"very-secret"'],
    ["a list", '["very-secret"]'],
    ["nothing", "null"],
    ["more than texts", '{"password":{"is":"very-secret"}}'],
  ])("cannot be used where it is %s, which quotes none of it", async (_, value) => {
    const secret = open();
    has(value);
    const error: unknown = await secret.read().catch((it: unknown) => it);
    expect(error).toBeInstanceOf(UnreadableSecretError);
    expect(String(error)).not.toContain("very-secret");
  });

  it("cannot be used where it is bytes", async () => {
    const secret = open();
    answer = { body: { ARN, SecretBinary: Buffer.from('{"a":"b"}').toString("base64") } };
    await expect(secret.read()).rejects.toThrow(UnreadableSecretError);
  });

  it("is looked at again where it could not be used, when somebody may have mended it", async () => {
    const secret = open();
    has("no JSON");
    await expect(secret.read()).rejects.toThrow(UnreadableSecretError);
    await expect(secret.read()).rejects.toThrow(UnreadableSecretError);
    has('{"password":"two"}');
    clock.advance(10_000);
    expect(await secret.read()).toEqual({ password: "two" });
    expect(await secret.read()).toEqual({ password: "two" });
    expect(aws.requests).toHaveLength(3);
  });
});
