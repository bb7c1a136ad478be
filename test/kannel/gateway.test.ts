import { randomInt, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PutSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { CallbackReceiver } from "../integration/support/callback-receiver.ts";
import { MO_QUERY } from "./ingress.ts";
import { Kannel, PASSWORD, USERNAME, whyNoKannel } from "./kannel.ts";
import { Operator } from "./operator.ts";
import { eventually } from "./rig.ts";

const why = whyNoKannel();

type Support = typeof import("../integration/support/stack.ts");

/** From whom Kannel lets messages come that name nobody. */
const SHORT_CODE = "27182";
/** Functions that are asked for the first time on a busy machine. */
const PATIENCE_MS = 60_000;

const phoneOfOurOwn = (lastFour = "1111") => `55119${randomInt(1_000, 9_999)}${lastFour}`;

describe.skipIf(why)("the gateway, with a Kannel for its carrier", () => {
  let operator: Operator;
  let kannel: Kannel;
  let directory: string;
  let receiver: CallbackReceiver;
  let account: Awaited<ReturnType<Support["TestAccount"]["create"]>>;

  beforeAll(async () => {
    // They read what is there only where the stack was deployed.
    const { stack, clientConfig, TestAccount } = await import("../integration/support/stack.ts");
    const { adminJson } = await import("../integration/support/command-line.ts");
    const ofKannel = ["--name", "kannel", "--protocol", "kannel"];
    const { secret, dlrUrl, moUrl } = await adminJson("carrier", "add", ...ofKannel);
    await new SecretsManagerClient(clientConfig).send(
      new PutSecretValueCommand({
        SecretId: inject("kannelSecret"),
        SecretString: JSON.stringify({
          username: USERNAME,
          password: PASSWORD,
          dlrUrl: `${dlrUrl}?secret=${secret}`,
        }),
      }),
    );
    expect(dlrUrl).toContain(stack.apiUrl);
    directory = await mkdtemp(join(tmpdir(), "torpedo-kannel-"));
    operator = await Operator.start();
    kannel = await Kannel.start({
      directory,
      operatorPort: operator.port,
      ports: inject("kannelPorts"),
      moUrl: `${moUrl}?secret=${secret}&${MO_QUERY}`,
      more: { user: `default-sender = "${SHORT_CODE}"` },
    });
    await eventually(() => expect(operator.isBound).toBe(true));
    account = await TestAccount.create({ longMessages: true });
    receiver = await CallbackReceiver.start();
    await account.addEndpoint(receiver.url);
  }, 120_000);

  afterAll(async () => {
    receiver?.stop();
    await kannel?.stop();
    await operator?.stop();
    if (directory) await rm(directory, { recursive: true, force: true });
  });

  const soon = <T>(check: () => T | Promise<T>) => eventually(check, PATIENCE_MS);

  async function send(destination: string, messageText = "Hello"): Promise<string> {
    const correlationId = randomUUID();
    const { status } = await account.sendSms({ destination, messageText, correlationId });
    expect(status).toBe(201);
    return correlationId;
  }

  it.each([
    ["1111", ["02/110", "03/120"]],
    ["0002", ["02/110", "04/161"]],
    ["0006", ["02/110", "04/150"]],
    ["0007", ["02/110", "04/161"]],
    ["0011", ["02/110", "04/161"]],
    ["0005", ["02/110", "03/120"]],
  ])("tells of a message to %s: %j", async (lastFour, statuses) => {
    const id = await send(phoneOfOurOwn(lastFour));
    await soon(async () => expect(await account.codes(id)).toBe(statuses.at(-1)));
    await soon(() => expect(new Set(receiver.statusesOf(id))).toEqual(new Set(statuses)));
  });

  it("sends a long message part by part, and tells of it once all are there", async () => {
    const to = phoneOfOurOwn();
    const text = "São 😀 ".repeat(40);
    const id = await send(to, text);
    await soon(async () => expect(await account.codes(id)).toBe("03/120"));
    const submits = operator.takenBy(to);
    const inOrder = submits.toSorted((one, other) => (one.header < other.header ? -1 : 1));
    const bytes = Buffer.concat(inOrder.map((submit) => submit.bytes));
    expect(bytes.swap16().toString("utf16le")).toBe(text);
    expect(submits.length).toBeGreaterThan(2);
  });

  it("brings a reply to whom it answers", async () => {
    const phone = phoneOfOurOwn();
    const id = await send(phone);
    await soon(async () => expect(await account.codes(id)).toBe("03/120"));
    const bytes = Buffer.from("Sim 😀", "utf16le").swap16();
    await operator.deliver({ from: phone, to: SHORT_CODE, bytes, dataCoding: 8 });
    await soon(() =>
      expect(receiver.mos).toContainEqual(
        expect.objectContaining({ mobile: phone, body: "Sim 😀", correlatedMessageSmsId: id }),
      ),
    );
  });

  it("hands over what came while Kannel was away", async () => {
    await kannel.kill("smsbox");
    await kannel.kill("bearerbox");
    const ids = await Promise.all([1, 2, 3].map(() => send(phoneOfOurOwn())));
    await soon(async () => {
      for (const id of ids) expect(await account.codes(id)).toBe("00/100");
    });
    await kannel.restart();
    await soon(async () => {
      for (const id of ids) expect(await account.codes(id)).toBe("03/120");
    });
  });
});
