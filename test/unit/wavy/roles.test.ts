import { describe, expect, it } from "vitest";
import type { ApiResponse } from "../../../functions/runtime/http.ts";
import { sampleMessage, sampleMo } from "../../support/samples.ts";
import {
  errorOf,
  FORBIDDEN,
  INVALID,
  idsOf,
  mosOf,
  statusesOf,
  TestWavyApi,
  type UserName,
} from "./support.ts";

const NOW = Date.parse("2026-03-02T15:00:00Z");
const PHONE = "5519900001111";

/** The services that a sub-account can be named to, and how. */
const NAMING: readonly [
  string,
  (api: TestWavyApi, as: UserName, subAccount: string) => Promise<ApiResponse>,
][] = [
  ["send-sms", (api, as, subAccount) => api.send({ subAccount }, as)],
  ["send-sms by GET", (api, as, subAccount) => api.sendByGet({ subAccount }, as)],
  [
    "send-bulk-sms",
    (api, as, subAccount) => api.sendBulk([{ destination: PHONE }], { subAccount }, as),
  ],
  ["status/list", (api, as, subAccount) => api.listStatus(as, { subAccount })],
  [
    "status/search",
    (api, as, subAccount) =>
      api.post("/v1/sms/status/search", { ids: ["a"] }, as, { query: { subAccount } }),
  ],
  ["receive/list", (api, as, subAccount) => api.listMos(as, { subAccount })],
  ["receive/search", (api, as, subAccount) => api.searchMos({ subAccount }, as)],
];

describe.each(NAMING)("naming a sub-account to %s", (_, ask) => {
  it("is forbidden to regular users, unless it is their own", async () => {
    const api = new TestWavyApi();
    expect(await ask(api, "marketing", "Marketing")).toMatchObject({ status: 200 });
    expect(await ask(api, "vendas", "Vendas")).toMatchObject({ status: 200 });
    expect(errorOf(await ask(api, "marketing", "Vendas"))).toBe(FORBIDDEN);
    expect(errorOf(await ask(api, "vendas", "Marketing"))).toBe(FORBIDDEN);
  });

  it("does not tell regular users which ones there are", async () => {
    for (const named of ["Nope", "marketing", "MARKETING", "constructor"]) {
      const response = await ask(new TestWavyApi(), "marketing", named);
      expect([named, errorOf(response)]).toEqual([named, FORBIDDEN]);
    }
  });

  it("is for administrators, of those that there are", async () => {
    const api = new TestWavyApi();
    expect(await ask(api, "admin", "Marketing")).toMatchObject({ status: 200 });
    expect(await ask(api, "admin", "Vendas")).toMatchObject({ status: 200 });
    for (const named of ["Nope", "vendas", "__proto__", "a#b", "x".repeat(65)]) {
      expect([named, errorOf(await ask(api, "admin", named))]).toEqual([named, INVALID]);
    }
    // Another account's.
    expect(errorOf(await ask(api, "stranger", "Vendas"))).toBe(INVALID);
  });

  it("as nothing is naming none", async () => {
    const api = new TestWavyApi();
    expect(await ask(api, "marketing", "")).toMatchObject({ status: 200 });
    expect(await ask(api, "admin", "")).toMatchObject({ status: 200 });
  });
});

describe("what is refused as forbidden", () => {
  it("is not sent", async () => {
    const api = new TestWavyApi();
    await api.send({ subAccount: "Vendas" });
    await api.sendBulk([{ destination: PHONE }], { subAccount: "Vendas" });
    expect(api.dispatchQueue.entries).toEqual([]);
    expect(api.batchQueue.jobs).toEqual([]);
  });

  it("is told before what else is wrong with it, but for what cannot be read", async () => {
    const api = new TestWavyApi();
    const wrong = { subAccount: "Vendas", campaignAlias: "nope", flowId: "nope" };
    expect(errorOf(await api.send(wrong))).toBe(FORBIDDEN);
    expect(errorOf(await api.send({ ...wrong, timeWindow: [24] }))).toBe(INVALID);
  });
});

describe("a message is sent for", () => {
  it("a regular user's own sub-account", async () => {
    const api = new TestWavyApi();
    expect(await api.sent()).toMatchObject({ subAccount: "Marketing" });
    expect(await api.sent({}, "vendas")).toMatchObject({ subAccount: "Vendas" });
    expect(await api.sent({ subAccount: "Vendas" }, "vendas")).toMatchObject({
      subAccount: "Vendas",
    });
    expect(await api.sentBulk([{ destination: PHONE }])).toMatchObject([
      { subAccount: "Marketing" },
    ]);
  });

  it("the one that an administrator names, or none", async () => {
    const api = new TestWavyApi();
    expect(await api.sent({ subAccount: "Vendas" }, "admin")).toMatchObject({
      subAccount: "Vendas",
      sender: { username: "chefe" },
    });
    expect((await api.sent({}, "admin")).subAccount).toBeUndefined();
    const root = { subAccount: "Marketing" };
    expect(await api.sentBulk([{ destination: PHONE }], root, "admin")).toMatchObject([
      { subAccount: "Marketing" },
    ]);
    const [without] = await api.sentBulk([{ destination: PHONE }], {}, "admin");
    expect(without?.subAccount).toBeUndefined();
  });

  it("whom it counts for: the sub-account that an administrator names", async () => {
    const api = new TestWavyApi({ subAccount: { limits: { perDay: 1, prepaid: false } } });
    const named = { subAccount: "Vendas" };
    expect(await api.sent(named, "admin")).toMatchObject({ state: "QUEUED" });
    expect(await api.sent({}, "vendas")).toMatchObject({ reason: "account-limit" });
    expect(await api.sent(named, "admin")).toMatchObject({ reason: "account-limit" });
    expect(await api.sent({}, "admin")).toMatchObject({ state: "QUEUED" });
    expect(await api.sent()).toMatchObject({ state: "QUEUED" });
  });
});

describe("statuses that are asked for by their ids", () => {
  const idsFound = (response: ApiResponse) => statusesOf(response).map(({ id }) => id);

  it("are those of the sub-account that an administrator names", async () => {
    const api = new TestWavyApi();
    const { id: ours } = await api.sent();
    const { id: theirs } = await api.sent({}, "vendas");
    const ids = [ours, theirs];
    const search = (query: { subAccount?: string }) =>
      api.post("/v1/sms/status/search", { ids }, "admin", { query });
    expect(idsFound(await search({})).sort()).toEqual(ids.sort());
    expect(idsFound(await search({ subAccount: "Vendas" }))).toEqual([theirs]);
    const ask = (subAccount: string) =>
      api.get("/v1/sms-status", { id: ours, subAccount }, "admin");
    expect(await ask("Marketing")).toMatchObject({ status: 200 });
    expect(await ask("Vendas")).toMatchObject({ status: 404 });
    const foreign = { id: ours, subAccount: "Vendas" };
    expect(errorOf(await api.get("/v1/sms-status", foreign, "marketing"))).toBe(FORBIDDEN);
  });
});

/** A message and an MO of each sub-account, of the account itself, and of another account's. */
async function furnished() {
  const api = new TestWavyApi();
  const owners = [
    ["acme", "Marketing"],
    ["acme", "Vendas"],
    ["acme", undefined],
    ["other", "Marketing"],
  ] as const;
  for (const [index, [account, subAccount]] of owners.entries()) {
    const id = `of ${account} ${subAccount ?? "itself"}`;
    const owner = { account, subAccount, dialect: "wavy" } as const;
    await api.messages.insert(
      sampleMessage(NOW, {
        ...owner,
        id: id.toLowerCase(),
        traceId: `trace-${index}`,
        correlationId: "same",
        state: "SENT",
      }),
    );
    await api.mos.insert(sampleMo(NOW, { ...owner, id: index, text: id.toLowerCase() }));
  }
  return api;
}

const MARKETING = "of acme marketing";
const VENDAS = "of acme vendas";
const ITSELF = "of acme itself";
const OF_OTHER = "of other marketing";
const EVERYTHING = [MARKETING, VENDAS, ITSELF, OF_OTHER];

describe("what is seen", () => {
  const ids = async (response: Promise<ApiResponse>) =>
    statusesOf(await response).map(({ id }) => id);
  const texts = async (response: Promise<ApiResponse>) =>
    mosOf(await response).map(({ messageText }) => messageText);

  it.each<[UserName, string | undefined, readonly string[]]>([
    ["marketing", undefined, [MARKETING]],
    ["marketing", "Marketing", [MARKETING]],
    ["vendas", undefined, [VENDAS]],
    ["admin", undefined, [MARKETING, VENDAS, ITSELF]],
    ["admin", "Marketing", [MARKETING]],
    ["admin", "Vendas", [VENDAS]],
    ["stranger", undefined, [OF_OTHER]],
    ["stranger", "Marketing", [OF_OTHER]],
  ])("by %s with subAccount=%s", async (as, subAccount, seen) => {
    const api = await furnished();
    expect(await texts(api.searchMos({ subAccount }, as))).toEqual(seen);
    expect(await texts(api.listMos(as, { subAccount }))).toEqual(seen);
    expect(await texts(api.listMos(as, { subAccount }))).toEqual([]);
    expect(await ids(api.listStatus(as, { subAccount }))).toEqual(seen);
    expect(await ids(api.listStatus(as, { subAccount }))).toEqual([]);
  });

  it.each<[UserName, readonly string[]]>([
    ["marketing", [MARKETING]],
    ["vendas", [VENDAS]],
    ["admin", [MARKETING, VENDAS, ITSELF]],
    ["stranger", [OF_OTHER]],
  ])("by %s who searches statuses", async (as, seen) => {
    const api = await furnished();
    expect((await ids(api.search({ ids: EVERYTHING }, as))).sort()).toEqual([...seen].sort());
    expect((await ids(api.search({ correlationIds: ["same"] }, as))).sort()).toEqual(
      [...seen].sort(),
    );
    for (const id of EVERYTHING) {
      const { status } = await api.status(id, as);
      expect([id, status]).toEqual([id, seen.includes(id) ? 200 : 404]);
    }
  });

  it("is taken by one user of it, and left to others where it is theirs", async () => {
    const api = await furnished();
    expect(await ids(api.listStatus("vendas"))).toEqual([VENDAS]);
    expect(await ids(api.listStatus("admin"))).toEqual([MARKETING, ITSELF]);
    expect(await ids(api.listStatus("marketing"))).toEqual([]);
    expect(await texts(api.listMos("marketing"))).toEqual([MARKETING]);
    expect(await texts(api.listMos("admin"))).toEqual([VENDAS, ITSELF]);
  });

  it("are messages of one's own sub-account, whoever sent them", async () => {
    const api = new TestWavyApi();
    const named = idsOf(await api.send({ subAccount: "Vendas" }, "admin"));
    expect(await ids(api.search({ ids: named }, "vendas"))).toEqual(named);
    expect(await ids(api.search({ ids: named }, "marketing"))).toEqual([]);
  });
});
