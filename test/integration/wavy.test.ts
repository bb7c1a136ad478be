import { beforeAll, describe, expect, it } from "vitest";
import { openDirectory } from "../../bin/directory-client.ts";
import { createFlow, createTemplate } from "../../functions/core/contents.ts";
import {
  bulkAnswerSchema,
  errorAnswerSchema,
  type MessageStatus,
  type ReceivedMessage,
  receivedAnswerSchema,
  singleAnswerSchema,
  statusesAnswerSchema,
} from "../../functions/wavy/schema.ts";
import {
  SEND_BULK_CURL_EXAMPLE,
  SEND_BULK_EXAMPLES,
  SEND_SMS_BODIES,
  SEND_SMS_QUERY,
} from "../support/wavy-examples.ts";
import { eventually } from "./support/eventually.ts";
import {
  clientConfig,
  type HttpAnswer,
  outbox,
  phoneOfOurOwn,
  replyFrom,
  stack,
} from "./support/stack.ts";
import { TestWavyAccount } from "./support/wavy-account.ts";

const access = openDirectory(stack.outputs, clientConfig);

type Role = Parameters<TestWavyAccount["get"]>[1];

/** An account that may ask as often as it likes. */
const createAccount = () =>
  TestWavyAccount.create({
    rateLimits: { requestsPerSecond: 10_000, statusQueriesPerSecond: 10_000 },
  });

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
const UTC_DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

const anHourFromNow = () => Date.now() + 60 * 60 * 1_000;

/** The ids of what was accepted. */
function idsOf({ status, body }: HttpAnswer): string[] {
  expect({ status, body }).toMatchObject({ status: 200 });
  const messages = Array.isArray(body)
    ? singleAnswerSchema.parse(body)
    : bulkAnswerSchema.parse(body).messages;
  return messages.map(({ id }) => id);
}

function statusesOf({ status, body }: HttpAnswer): MessageStatus[] {
  expect({ status, body }).toMatchObject({ status: 200 });
  return statusesAnswerSchema.parse(body).messages;
}

function mosOf({ status, body }: HttpAnswer): ReceivedMessage[] {
  expect({ status, body }).toMatchObject({ status: 200 });
  return receivedAnswerSchema.parse(body).messages;
}

const search = async (account: TestWavyAccount, body: object, as?: Role) =>
  statusesOf(await account.post("/v1/sms/status/search", body, as));
const listStatus = async (account: TestWavyAccount, as?: Role) =>
  statusesOf(await account.get("/v1/sms/status/list", as));

/** Both levels of a status, as `2/4`. */
const levelsOf = ({ sentStatusCode, deliveredStatusCode }: MessageStatus) =>
  `${sentStatusCode ?? ""}/${deliveredStatusCode ?? ""}`;

describe("one message over the Wavy API", () => {
  let account: TestWavyAccount;
  beforeAll(async () => {
    account = await createAccount();
  });

  it("goes all the way to the phone, told by search, by list and by the older look-up", async () => {
    const answer = await account.send({ correlationId: "myId", extraInfo: "x" });
    expect(answer).toMatchObject({
      status: 200,
      body: [{ id: expect.stringMatching(UUID), correlationId: "myId" }],
    });
    const [id = ""] = idsOf(answer);
    const listed: MessageStatus[] = [];
    await eventually(async () => {
      listed.push(...(await listStatus(account)));
      expect(listed.map(levelsOf)).toContain("2/4");
    });
    expect(new Set(listed.map(levelsOf)).size).toBe(listed.length);
    expect(await listStatus(account)).toEqual([]);
    const status = {
      id,
      correlationId: "myId",
      carrierId: expect.any(Number),
      carrierName: expect.stringMatching(/^(VIVO|CLARO|TIM)$/),
      destination: "5519900001111",
      sentStatusCode: 2,
      sentStatus: "SENT_SUCCESS",
      sentStatusAt: expect.any(Number),
      sentStatusDate: expect.stringMatching(UTC_DATE),
      deliveredStatusCode: 4,
      deliveredStatus: "DELIVERED_SUCCESS",
      deliveredAt: expect.any(Number),
      deliveredDate: expect.stringMatching(UTC_DATE),
      extraInfo: "x",
    };
    expect(listed.at(-1)).toEqual(status);
    expect(await search(account, { ids: [id.toUpperCase()] })).toEqual([status]);
    expect(await account.status(id)).toEqual(status);
    await eventually(async () =>
      expect(await search(account, { correlationIds: ["myId"] })).toEqual([status]),
    );
  });

  it("may come by GET, with e-mail address and token in the query", async () => {
    const { email, token } = account.users.regular;
    const query = new URLSearchParams({
      ...SEND_SMS_QUERY,
      timeWindow: `[${Array.from({ length: 24 }, (_, hour) => hour)}]`,
      destination: phoneOfOurOwn(),
      username: email,
      authenticationToken: token,
    });
    const response = await fetch(`${stack.apiUrl}/v1/send-sms?${query}`);
    const body = singleAnswerSchema.parse(await response.json());
    expect(body).toMatchObject([{ correlationId: "myId" }]);
    const destination = query.get("destination") ?? "";
    await eventually(async () =>
      expect(await outbox.list(destination)).toMatchObject([
        { text: "A combinação foi perfeita :)", flash: true },
      ]),
    );
  });

  it.each(SEND_SMS_BODIES)("may be the document's %s", async (body) => {
    expect(idsOf(await account.post("/v1/send-sms", body))).toHaveLength(1);
  });

  it("waits for its time, however soon that is", async () => {
    const destination = phoneOfOurOwn();
    const scheduledAt = Date.now() + 2_000;
    const [id = ""] = idsOf(await account.send({ destination, scheduledAt }));
    expect(await account.status(id)).toEqual({ id, destination });
    await eventually(async () => expect(await outbox.list(destination)).toHaveLength(1));
    const [entry] = await outbox.list(destination);
    expect(entry?.receivedAt).toBeGreaterThanOrEqual(scheduledAt - 1);
  });

  it("is sent in as many parts as it takes", async () => {
    const destination = phoneOfOurOwn();
    const [id = ""] = idsOf(await account.send({ destination, messageText: "ã".repeat(200) }));
    await eventually(async () => expect(levelsOf(await account.status(id))).toBe("2/4"));
    const entries = (await outbox.list(destination)).sort(
      (one, other) => (one.part?.order ?? 0) - (other.part?.order ?? 0),
    );
    expect(entries.map(({ part }) => part)).toEqual(
      [1, 2, 3].map((order) => ({ order, total: 3 })),
    );
    expect(entries.map(({ text }) => text).join("")).toBe("ã".repeat(200));
  });

  it.each([
    ["is accepted by an operator without receipts", phoneOfOurOwn("8200"), "2/"],
    ["is not delivered", phoneOfOurOwn("8300"), "2/104"],
    ["is refused by the operator", phoneOfOurOwn("8400"), "103/"],
    ["has words that the operator does not accept", phoneOfOurOwn("8403"), "207/"],
    ["has a number that the operator does not know", phoneOfOurOwn("8404"), "202/"],
    ["has no number at all", "123", "202/"],
  ])("has its status where it %s", async (_, destination, levels) => {
    const [id = ""] = idsOf(await account.send({ destination }));
    await eventually(async () => expect(levelsOf(await account.status(id))).toBe(levels));
  });

  it.each<[string, string, RequestInit & { headers?: Record<string, string> }, string]>([
    ["no such service", "/v1/nope", {}, "404 NOT_FOUND"],
    ["no service", "/v1", {}, "404 NOT_FOUND"],
    ["no such message", "/v1/sms-status?id=nope", {}, "404 NOT_FOUND"],
    ["no id", `/v1/sms-status?id=${"i".repeat(3_000)}`, {}, "400 INVALID_REQUEST"],
    ["another method", "/v1/send-sms", { method: "DELETE" }, "405 METHOD_NOT_ALLOWED"],
    ["no JSON", "/v1/send-sms", { method: "POST", body: "{" }, "415 UNSUPPORTED_MEDIA_TYPE"],
    [
      "broken JSON",
      "/v1/send-bulk-sms",
      { method: "POST", body: "{", headers: { "content-type": "application/json" } },
      "400 INVALID_REQUEST",
    ],
    [
      "half an emoji for an id",
      "/v1/sms/status/search",
      {
        method: "POST",
        body: '{"ids":["\\ud83d"]}',
        headers: { "content-type": "application/json" },
      },
      "400 INVALID_REQUEST",
    ],
    [
      "half an emoji for a campaign",
      "/v1/send-sms",
      {
        method: "POST",
        body: '{"destination":"5519900001111","messageText":"x","campaignAlias":"\\ud83d"}',
        headers: { "content-type": "application/json" },
      },
      "400 INVALID_REQUEST",
    ],
    [
      "too much",
      "/v1/send-sms",
      {
        method: "POST",
        body: "x".repeat(1_048_577),
        headers: { "content-type": "application/json" },
      },
      "413 PAYLOAD_TOO_LARGE",
    ],
    [
      "a wrong token",
      // No status query: of those, callers without an account share one a second.
      "/v1/sms/receive/list",
      { headers: { authenticationtoken: "wrong" } },
      "401 UNAUTHORIZED",
    ],
    ["a wrong period", "/v1/sms/receive/search?start=x", {}, "400 INVALID_REQUEST"],
    ["another sub-account", "/v1/sms/receive/list?subAccount=Vendas", {}, "403 FORBIDDEN"],
  ])("is answered with an error body where it is %s", async (_, path, init, error) => {
    const { status, body } = await account.request(path, init);
    expect(`${status} ${errorAnswerSchema.strict().parse(body).errorCode}`).toBe(error);
    expect(JSON.stringify(body)).not.toMatch(/node_modules|Error:|\.m?[jt]s:\d/);
  });
});

describe("many messages over the Wavy API", () => {
  it("are taken a thousand at a time, three of them no good, and all known at once", async () => {
    const account = await createAccount();
    const messages = Array.from({ length: 1_000 }, (_, index): unknown => ({
      destination: "5519900001111",
      correlationId: `bulk-${index}`,
    }));
    messages[10] = { destination: "123", correlationId: "bulk-10" };
    messages[500] = null;
    messages[999] = { destination: "5519900001111", messageText: "x".repeat(1_281) };
    const answer = await account.sendBulk({
      messages,
      defaultValues: { messageText: "Hello" },
      // So late that the emulator need not send them all; other tests send some.
      scheduledAt: anHourFromNow(),
    });
    const ids = idsOf(answer);
    expect(ids).toHaveLength(1_000);
    expect(answer.body.id).toMatch(UUID);
    expect(answer.body.messages[1]).toEqual({ id: ids[1], correlationId: "bulk-1" });

    const known = async () => {
      const found = await search(account, { ids });
      expect(found).toHaveLength(1_000);
      const byId = new Map(found.map((status) => [status.id, status.sentStatusCode]));
      return ids.flatMap((id, index) => (byId.get(id) ? [[index, byId.get(id)]] : []));
    };
    const bad = [
      [10, 202],
      [500, 207],
      [999, 207],
    ];
    expect(await known()).toEqual(bad);
    await eventually(async () => {
      const found = await search(account, { correlationIds: ["bulk-10", "bulk-998"] });
      expect(found.map(({ id }) => id).sort()).toEqual([ids[10], ids[998]].sort());
    });
    const listed: MessageStatus[] = [];
    await eventually(async () => {
      listed.push(...(await listStatus(account)));
      expect(listed.map(({ id }) => id).sort()).toEqual([ids[10], ids[500], ids[999]].sort());
    });
    expect(await known()).toEqual(bad);
  });

  it("are handed over once each", async () => {
    const account = await createAccount();
    const destination = phoneOfOurOwn("8200");
    const ids = idsOf(
      await account.sendBulk({
        messages: Array.from({ length: 30 }, () => ({ destination })),
        defaultValues: { messageText: "Hello" },
      }),
    );
    await eventually(async () => {
      const found = await search(account, { ids });
      expect(found.map(levelsOf)).toEqual(Array(30).fill("2/"));
    });
    const handedOver = (await outbox.list(destination)).map(({ messageId }) => messageId);
    expect(handedOver.sort()).toEqual([...ids].sort());
  });

  /** What was sent for an account to the second number of the examples. */
  const textsOf = async ({ name }: TestWavyAccount) =>
    (await outbox.list("5519900002222"))
      .filter(({ account }) => account === name)
      .map(({ text }) => text);

  it.each([1, 3] as const)("are taken as in the document's example %d", async (example) => {
    const account = await createAccount();
    const ids = idsOf(await account.sendBulk(SEND_BULK_EXAMPLES[example]));
    expect(ids).toHaveLength(SEND_BULK_EXAMPLES[example].messages.length);
    await eventually(async () => expect(await textsOf(account)).toEqual(["Default message"]));
  });

  it("are taken as in the document's curl line", async () => {
    const account = await createAccount();
    expect(idsOf(await account.sendBulk(SEND_BULK_CURL_EXAMPLE))).toHaveLength(3);
  });

  it("are refused as in the document's example 2, which is long past", async () => {
    const account = await createAccount();
    expect(await account.sendBulk(SEND_BULK_EXAMPLES[2])).toMatchObject({
      status: 400,
      body: { errorCode: "INVALID_REQUEST", errorMessage: "The scheduling date is in the past." },
    });
  });

  it.each([4, 5] as const)("are filled in as in the document's example %d", async (example) => {
    const account = await createAccount();
    const text = "{{param1}} and {{param2}}";
    const owner = { account: account.name, text };
    await Promise.all([
      createFlow(access, { ...owner, flowId: SEND_BULK_EXAMPLES[4].flowId }),
      createTemplate(access, { ...owner, templateId: 0, name: "name" }),
    ]);
    expect(idsOf(await account.sendBulk(SEND_BULK_EXAMPLES[example]))).toHaveLength(2);
    await eventually(async () => expect(await textsOf(account)).toEqual(["value1 and value2"]));
  });
});

describe("statuses that are new", () => {
  it("are told to one of ten callers at the same time, each once", async () => {
    const account = await createAccount();
    const bad = Array.from({ length: 40 }, () => ({ destination: "123" }));
    const good = Array.from({ length: 5 }, () => ({ destination: phoneOfOurOwn("8200") }));
    const ids = idsOf(
      await account.sendBulk({
        messages: [...bad, ...good],
        defaultValues: { messageText: "Hello" },
      }),
    );
    const listed: string[] = [];
    await eventually(async () => {
      const lists = await Promise.all(Array.from({ length: 10 }, () => listStatus(account)));
      listed.push(...lists.flat().map(({ id }) => id));
      expect(listed.length).toBeGreaterThanOrEqual(ids.length);
    });
    // The list's index may lag behind, and tell nothing twice all the same.
    const after = await Promise.all(Array.from({ length: 10 }, () => listStatus(account)));
    expect([...listed, ...after.flat().map(({ id }) => id)].sort()).toEqual([...ids].sort());
  });
});

describe("MOs over the Wavy API", () => {
  let account: TestWavyAccount;
  const phones = { marketing: phoneOfOurOwn(), sales: phoneOfOurOwn(), itself: phoneOfOurOwn() };
  const searchMos = async (as: Role, query = "") =>
    mosOf(await account.get(`/v1/sms/receive/search${query}`, as));
  const listMos = async (as: Role, query = "") =>
    mosOf(await account.get(`/v1/sms/receive/list${query}`, as));
  const sources = (mos: readonly ReceivedMessage[]) => mos.map(({ source }) => source).sort();
  const all = Object.values(phones).sort();

  beforeAll(async () => {
    account = await createAccount();
    await account.addSubAccount("Sales");
    const ids = (
      await Promise.all([
        account.send({ destination: phones.marketing, correlationId: "1876" }),
        account.send({ destination: phones.sales, subAccount: "Sales" }, "admin"),
        account.send({ destination: phones.itself }, "admin"),
      ])
    ).flatMap(idsOf);
    await eventually(async () => {
      const found = await search(account, { ids }, "admin");
      expect(found.map(levelsOf)).toEqual(["2/4", "2/4", "2/4"]);
    });
    await Promise.all(all.map((phone) => replyFrom(phone, `Sim, às 10 ☺`)));
    await eventually(async () => expect(sources(await searchMos("admin"))).toEqual(all));
  });

  it("are found in the document's shape", async () => {
    const [mo] = await searchMos("regular");
    const { username, email } = account.users.regular;
    expect(mo).toEqual({
      id: expect.stringMatching(UUID),
      subAccount: "Marketing",
      carrierId: expect.any(Number),
      carrierName: "CLARO",
      source: phones.marketing,
      shortCode: "27182",
      messageText: "Sim, às 10 ☺",
      receivedAt: expect.any(Number),
      receivedDate: expect.stringMatching(UTC_DATE),
      mt: { id: expect.stringMatching(UUID), correlationId: "1876", username, email },
    });
  });

  it("are found by administrators of all sub-accounts or of one, by others of their own", async () => {
    expect(sources(await searchMos("admin"))).toEqual(all);
    expect(sources(await searchMos("admin", "?subAccount=Sales"))).toEqual([phones.sales]);
    expect(sources(await searchMos("regular"))).toEqual([phones.marketing]);
    expect(sources(await searchMos("regular", "?subAccount=Marketing"))).toEqual([
      phones.marketing,
    ]);
    const forbidden = await account.get("/v1/sms/receive/search?subAccount=Sales");
    expect(forbidden).toMatchObject({ status: 403, body: { errorCode: "FORBIDDEN" } });
    const unknown = await account.get("/v1/sms/receive/search?subAccount=Nope", "admin");
    expect(unknown).toMatchObject({ status: 400, body: { errorCode: "INVALID_REQUEST" } });
  });

  it("are found in a period", async () => {
    const at = (ms: number) => new Date(Date.now() + ms).toISOString().slice(0, 19);
    const DAY_MS = 24 * 60 * 60 * 1_000;
    expect(sources(await searchMos("admin", `?start=${at(-DAY_MS)}&end=${at(DAY_MS)}`))).toEqual(
      all,
    );
    expect(await searchMos("admin", `?end=${at(-DAY_MS)}`)).toEqual([]);
    expect(await searchMos("admin", "?start=2016-09-12T00:00:00&end=2016-09-15T00:00:00")).toEqual(
      [],
    );
  });

  it("are listed once, to whom they belong", async () => {
    const [one, other] = await Promise.all([listMos("regular"), listMos("regular")]);
    expect(sources([...one, ...other])).toEqual([phones.marketing]);
    const lists = await Promise.all(Array.from({ length: 5 }, () => listMos("admin")));
    expect(sources(lists.flat())).toEqual([phones.sales, phones.itself].sort());
    expect(await listMos("admin")).toEqual([]);
    expect(await listMos("admin", "?subAccount=Sales")).toEqual([]);
    expect(sources(await searchMos("admin"))).toEqual(all);
  });
});
