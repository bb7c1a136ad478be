import { beforeEach, describe, expect, it } from "vitest";
import {
  type AccountSettings,
  accountSchema,
  accountSettingsSchema,
} from "../../../functions/core/account.ts";
import {
  type AccountSettingsChange,
  changeAccountSettings,
  createAccount,
  InvalidRequestError,
  rotateCredential,
  setAccountState,
} from "../../../functions/core/accounts.ts";
import type { CarrierOffers } from "../../../functions/core/carrier-offers.ts";
import { matchesCredential } from "../../../functions/core/passwords.ts";
import { CountingRandomness, ManualClock, MemoryDirectory } from "../../support/memory.ts";
import { sampleAccount } from "../../support/samples.ts";

describe("accounts", () => {
  const clock = new ManualClock();
  const randomness = new CountingRandomness();
  let directory: MemoryDirectory;
  const offers: CarrierOffers = { kannel: { senders: ["27182", "31415"] }, aws: {} };
  let deps: {
    directory: MemoryDirectory;
    offers: CarrierOffers;
    clock: ManualClock;
    randomness: CountingRandomness;
  };

  beforeEach(() => {
    directory = new MemoryDirectory();
    deps = { directory, offers, clock, randomness };
  });

  const isValid = (account: string, password: string) =>
    matchesCredential(password, directory.accounts.get(account)?.credentials ?? [], clock.now());

  it("are created with a password that is stored only as a hash", async () => {
    const { password } = await createAccount(deps, { account: "acme", country: "br" });
    expect(isValid("acme", password)).toBe(true);
    expect(JSON.stringify([...directory.accounts.values()])).not.toContain(password);
  });

  it("take their country's zone unless they are given one", async () => {
    await createAccount(deps, { account: "acme", country: "BR" });
    await createAccount(deps, { account: "norte", country: "BR", timeZone: "America/Manaus" });
    expect(directory.accounts.get("acme")?.timeZone).toBe("America/Sao_Paulo");
    expect(directory.accounts.get("norte")?.timeZone).toBe("America/Manaus");
  });

  it("does not give a short code to two accounts", async () => {
    await createAccount(deps, { account: "first", country: "BR" });
    await createAccount(deps, { account: "second", country: "BR" });
    await changeAccountSettings(deps, "first", { shortCodes: ["40001"] });
    await expect(
      changeAccountSettings(deps, "second", { shortCodes: ["40002", "40001"] }),
    ).rejects.toThrow('short code 40001 is that of account "first"');
    await changeAccountSettings(deps, "first", { shortCodes: ["40001", "40003"] });
    expect((await directory.findAccount("second"))?.shortCodes).toEqual([]);
  });

  it.each([
    ["a colon in the name", { account: "a:b", country: "BR" }, /letters, digits/],
    ["an empty name", { account: "", country: "BR" }, /letters, digits/],
    ["an unknown country", { account: "acme", country: "XX" }, /not a country code/],
    [
      "an unknown zone",
      { account: "acme", country: "BR", timeZone: "Mars/Base" },
      /not a time zone/,
    ],
    ["a wrong address", { account: "acme", country: "BR", email: "acme" }, /^email: /],
  ])("are not created with %s", async (_, request, message) => {
    await expect(createAccount(deps, request)).rejects.toThrow(message);
    await expect(createAccount(deps, request)).rejects.toThrow(InvalidRequestError);
  });

  it("are not created twice", async () => {
    const { password } = await createAccount(deps, { account: "acme", country: "BR" });
    await expect(createAccount(deps, { account: "acme", country: "BR" })).rejects.toThrow(
      /already/,
    );
    expect(isValid("acme", password)).toBe(true);
  });

  it("can be disabled and enabled", async () => {
    await createAccount(deps, { account: "acme", country: "BR" });
    await setAccountState(deps, "acme", "disabled");
    expect(directory.accounts.get("acme")?.state).toBe("disabled");
    await setAccountState(deps, "acme", "active");
    expect(directory.accounts.get("acme")?.state).toBe("active");
    await expect(setAccountState(deps, "nobody", "disabled")).rejects.toThrow(/no account/);
  });

  it("are not changed by two at the same time, so that neither undoes the other", async () => {
    const { password } = await createAccount(deps, { account: "acme", country: "BR" });
    const results = await Promise.allSettled([
      rotateCredential(deps, "acme", 0),
      setAccountState(deps, "acme", "disabled"),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    await rotateCredential(deps, "acme", 0);
    await setAccountState(deps, "acme", "disabled");
    expect(isValid("acme", password)).toBe(false);
    expect(directory.accounts.get("acme")?.state).toBe("disabled");
  });

  it("begin with all settings off, and the texts cut as the document has it", async () => {
    await createAccount(deps, { account: "acme", country: "BR" });
    expect(directory.accounts.get("acme")).toMatchObject({
      longMessages: false,
      segmentation: "mesago",
      transliterate: false,
      operatorOfMo: false,
      shortCodes: [],
      moDialect: "mesago",
      limits: { prepaid: false },
      optOut: { enabled: true, keywords: ["SAIR", "PARAR", "STOP", "CANCELAR"] },
      senders: [],
      rateLimits: {},
      revision: 0,
    });
    expect(directory.accounts.get("acme")).not.toHaveProperty("routes");
  });

  it("can begin with their owner's address, and have none again", async () => {
    await createAccount(deps, { account: "acme", country: "BR", email: "ops@acme.example" });
    expect(directory.accounts.get("acme")).toMatchObject({ email: "ops@acme.example" });
    const changed = await changeAccountSettings(deps, "acme", { email: null });
    expect(changed).not.toHaveProperty("email");
  });

  const settings: AccountSettings = {
    email: "ops@acme.example",
    longMessages: true,
    segmentation: "gsm",
    transliterate: true,
    operatorOfMo: true,
    shortCodes: ["27182", "31415"],
    moDialect: "wavy",
    limits: { perDay: 10, perMonth: 100, prepaid: true },
    optOut: {
      enabled: false,
      keywords: ["FIM"],
      backKeywords: ["QUERO"],
      confirmation: "Fim.",
      backConfirmation: "",
    },
    senders: ["27182"],
    routes: [
      { country: ["BR"], lane: "singles", share: 70, carrier: "kannel" },
      { carrier: "aws" },
    ],
    rateLimits: { requestsPerSecond: 1_000, statusQueriesPerSecond: 5 },
  };

  it.each(Object.entries(settings))(
    "change in nothing but what is asked: %s",
    async (name, value) => {
      await createAccount(deps, { account: "acme", country: "BR" });
      const created = directory.accounts.get("acme");
      const changed = await changeAccountSettings(deps, "acme", { [name]: value });
      expect(changed).toEqual({ ...created, [name]: value, revision: 1 });
      expect(directory.accounts.get("acme")).toEqual(changed);
    },
  );

  it("keep the settings that were changed before", async () => {
    await createAccount(deps, { account: "acme", country: "BR" });
    await changeAccountSettings(deps, "acme", settings);
    const changed = await changeAccountSettings(deps, "acme", { transliterate: false });
    expect(changed).toMatchObject({ ...settings, transliterate: false, revision: 2 });
    await setAccountState(deps, "acme", "disabled");
    await rotateCredential(deps, "acme", 0);
    const account = directory.accounts.get("acme");
    expect(account).toMatchObject({ ...settings, transliterate: false, state: "disabled" });
    expect(accountSchema.parse(account)).toEqual(account);
    expect(await changeAccountSettings(deps, "acme", {})).toEqual({ ...account, revision: 5 });
  });

  it("change in a nested setting only the field that is named", async () => {
    await createAccount(deps, { account: "acme", country: "BR" });
    await changeAccountSettings(deps, "acme", settings);
    const changed = await changeAccountSettings(deps, "acme", {
      limits: { perDay: 20 },
      optOut: { confirmation: "Ate logo." },
      rateLimits: { requestsPerSecond: 2 },
    });
    expect(changed).toMatchObject({
      limits: { ...settings.limits, perDay: 20 },
      optOut: { ...settings.optOut, confirmation: "Ate logo." },
      rateLimits: { requestsPerSecond: 2, statusQueriesPerSecond: 5 },
    });
  });

  it("have a nested setting's default again where a field is null", async () => {
    await createAccount(deps, { account: "acme", country: "BR" });
    await changeAccountSettings(deps, "acme", settings);
    const changed = await changeAccountSettings(deps, "acme", {
      limits: { perDay: null, prepaid: null },
      optOut: { keywords: null },
      rateLimits: { requestsPerSecond: null },
    });
    expect(changed.limits).toEqual({ perMonth: 100, prepaid: false });
    expect(changed.optOut).toEqual({
      ...settings.optOut,
      keywords: ["SAIR", "PARAR", "STOP", "CANCELAR"],
    });
    expect(changed.rateLimits).toEqual({ statusQueriesPerSecond: 5 });
  });

  it("have a setting's default again where it is null", async () => {
    const defaults = await createAccount(deps, { account: "acme", country: "BR" }).then(() =>
      directory.accounts.get("acme"),
    );
    await changeAccountSettings(deps, "acme", settings);
    const names = Object.keys(settings);
    const nothing = Object.fromEntries(names.map((name) => [name, null]));
    expect(await changeAccountSettings(deps, "acme", nothing)).toEqual({
      ...defaults,
      revision: 2,
    });
  });

  it("name a sender once, where it is liked best", async () => {
    await createAccount(deps, { account: "acme", country: "BR" });
    const senders = ["31415", "27182", "31415"];
    const changed = await changeAccountSettings(deps, "acme", { senders });
    expect(changed.senders).toEqual(["31415", "27182"]);
  });

  it("take routes as they are written, and read what they stored", async () => {
    await createAccount(deps, { account: "acme", country: "BR" });
    const routes = [
      { country: "BR", operator: ["Vivo", "Tim"], subAccount: "sales", carrier: "kannel" },
    ];
    const read = [
      { country: ["BR"], operator: ["Vivo", "Tim"], subAccount: ["sales"], carrier: "kannel" },
    ];
    expect((await changeAccountSettings(deps, "acme", { routes })).routes).toEqual(read);
    const again = await changeAccountSettings(deps, "acme", { transliterate: true });
    expect(again.routes).toEqual(read);
    expect(accountSchema.parse(again)).toEqual(again);
  });

  it.each<[string, AccountSettingsChange, RegExp]>([
    [
      "a route to a carrier that the stage does not have",
      { routes: [{ carrier: "aws" }, { carrier: "vivo" }] },
      /^routes\.1\.carrier: .* no carrier "vivo"/,
    ],
    ["a sender that is none", { senders: ["27182", "*"] }, /^senders\.1: a sender is/],
    ["a name in Brazil", { senders: ["Acme"] }, /^senders: phones in BR .* from "Acme"/],
    [
      "a sender that their routes' carriers do not let out",
      { senders: ["40001"], routes: [{ carrier: "kannel" }] },
      /^senders: "40001" is let out by no carrier .*: kannel$/,
    ],
    ["more senders than twenty", { senders: Array(21).fill("27182") }, /^senders: /],
    [
      "a country that is none",
      { routes: [{ country: "br", carrier: "aws" }] },
      /^routes\.0\.country: .*capital/,
    ],
    [
      "one of several countries that is none",
      { routes: [{ country: ["BR", "Brazil"], carrier: "aws" }] },
      /^routes\.0\.country\.1: .*capital/,
    ],
    ["a share of nothing", { routes: [{ share: 0, carrier: "aws" }] }, /^routes\.0\.share: /],
    ["no routes at all", { routes: [] }, /^routes: /],
  ])("have neither senders nor routes that cannot be: %s", async (_, wrong, message) => {
    await createAccount(deps, { account: "acme", country: "BR" });
    const created = directory.accounts.get("acme");
    const change = changeAccountSettings(deps, "acme", wrong);
    await expect(change).rejects.toThrow(message);
    await expect(change).rejects.toThrow(InvalidRequestError);
    expect(directory.accounts.get("acme")).toEqual(created);
  });

  it("have senders checked when the routes change, and routes when the senders do", async () => {
    await createAccount(deps, { account: "acme", country: "BR" });
    await changeAccountSettings(deps, "acme", { senders: ["40001"] });
    const toKannel = { routes: [{ carrier: "kannel" }] };
    await expect(changeAccountSettings(deps, "acme", toKannel)).rejects.toThrow(
      /^senders: "40001"/,
    );
    await changeAccountSettings(deps, "acme", { ...toKannel, senders: ["27182"] });
    await expect(changeAccountSettings(deps, "acme", { senders: ["40001"] })).rejects.toThrow(
      /let out by no carrier/,
    );
    const changed = await changeAccountSettings(deps, "acme", { senders: ["40001"], routes: null });
    expect(changed).toMatchObject({ senders: ["40001"] });
  });

  it("keep what the stage offers no more, and what stands beside it can be changed", async () => {
    await createAccount(deps, { account: "acme", country: "BR" });
    await changeAccountSettings(deps, "acme", settings);
    const later = { directory, offers: { vivo: { senders: ["40001"] } } };
    const changed = await changeAccountSettings(later, "acme", { transliterate: false });
    expect(changed).toMatchObject({ senders: settings.senders, routes: settings.routes });
    await expect(
      changeAccountSettings(later, "acme", { senders: settings.senders }),
    ).rejects.toThrow(/^routes\.0\.carrier/);
    const back = await changeAccountSettings(later, "acme", { senders: null, routes: null });
    expect(back.senders).toEqual([]);
    expect(back).not.toHaveProperty("routes");
  });

  it.each([{ senders: ["27182"] }, { routes: [{ carrier: "aws" }] }])(
    "are not set where nobody knows the stage's carriers: %j",
    async (change) => {
      await createAccount(deps, { account: "acme", country: "BR" });
      await expect(changeAccountSettings({ directory }, "acme", change)).rejects.toThrow(
        /not known which carriers/,
      );
      await changeAccountSettings({ directory }, "acme", { senders: null, routes: null });
    },
  );

  it.each([
    { backKeywords: ["Sáir!"] },
    { keywords: ["X", "volTAR"] },
    { keywords: ["X"], backKeywords: ["y", "(x)"] },
  ])("have no word that opts both out and in again: %j", async (optOut) => {
    await createAccount(deps, { account: "acme", country: "BR" });
    const change = changeAccountSettings(deps, "acme", { optOut });
    await expect(change).rejects.toThrow(/^optOut\.backKeywords: ".*" is one of the keywords, too/);
  });

  it("may have no words at all, or what can be no answer among both", async () => {
    await createAccount(deps, { account: "acme", country: "BR" });
    for (const optOut of [
      { keywords: [], backKeywords: ["SAIR"] },
      { keywords: ["?"], backKeywords: ["!"] },
    ]) {
      expect((await changeAccountSettings(deps, "acme", { optOut })).optOut).toMatchObject(optOut);
    }
  });

  it("keep words from before that mean both ways, and what stands beside them can be changed", async () => {
    await createAccount(deps, { account: "acme", country: "BR" });
    const stored = directory.accounts.get("acme");
    if (!stored) throw new Error("no account");
    const both = { ...stored.optOut, keywords: ["SI"], backKeywords: ["sí"] };
    directory.accounts.set("acme", accountSchema.parse({ ...stored, optOut: both }));
    const optOut = { enabled: false, confirmation: "" };
    const changed = await changeAccountSettings(deps, "acme", { optOut });
    expect(changed.optOut).toEqual({ ...both, ...optOut });
  });

  it.each<[string, object, RegExp]>([
    ["a limit", { limits: { perDay: -1 } }, /^limits\.perDay: /],
    ["a keyword", { optOut: { keywords: ["SAIR", " "] } }, /^optOut\.keywords\.1: /],
    ["a rate", { rateLimits: { requestsPerSecond: 0 } }, /^rateLimits\.requestsPerSecond: /],
  ])("name the field of a nested setting that is wrong: %s", async (_, wrong, message) => {
    await createAccount(deps, { account: "acme", country: "BR" });
    await expect(changeAccountSettings(deps, "acme", wrong)).rejects.toThrow(message);
  });

  it.each<[string, object]>([
    ["a short code with letters", { shortCodes: ["27182", "SMS"] }],
    ["an empty short code", { shortCodes: [""] }],
    ["a short code of 16 digits", { shortCodes: ["1".repeat(16)] }],
    ["a segmentation that there is not", { segmentation: "words" }],
    ["a switch that is neither on nor off", { longMessages: "on" }],
  ])("are not changed to %s", async (_, wrong) => {
    await createAccount(deps, { account: "acme", country: "BR" });
    const created = directory.accounts.get("acme");
    const change = changeAccountSettings(deps, "acme", { transliterate: true, ...wrong });
    await expect(change).rejects.toThrow(InvalidRequestError);
    expect(directory.accounts.get("acme")).toEqual(created);
  });

  it("have no settings where there is no account", async () => {
    await expect(changeAccountSettings(deps, "nobody", settings)).rejects.toThrow(/no account/);
  });

  it("refuse one of two changes of settings at the same time", async () => {
    await createAccount(deps, { account: "acme", country: "BR" });
    const results = await Promise.allSettled([
      changeAccountSettings(deps, "acme", { longMessages: true }),
      changeAccountSettings(deps, "acme", { transliterate: true }),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(directory.accounts.get("acme")).toMatchObject({ revision: 1 });
  });

  it("that were stored before there were settings have those of a new one, but for opting out", () => {
    const account = sampleAccount();
    const before = Object.fromEntries(
      Object.entries(account).filter(([name]) => !(name in accountSettingsSchema.shape)),
    );
    const optOut = { ...account.optOut, enabled: false };
    expect(accountSchema.parse(before)).toEqual({ ...account, optOut });
  });

  it("get a new password, the old one ending at once or after the overlap", async () => {
    const first = await createAccount(deps, { account: "acme", country: "BR" });
    const second = await rotateCredential(deps, "acme", 10);
    expect([isValid("acme", first.password), isValid("acme", second.password)]).toEqual([
      true,
      true,
    ]);
    clock.advance(10 * 60_000);
    expect([isValid("acme", first.password), isValid("acme", second.password)]).toEqual([
      false,
      true,
    ]);
    const third = await rotateCredential(deps, "acme", 0);
    expect([isValid("acme", second.password), isValid("acme", third.password)]).toEqual([
      false,
      true,
    ]);
    expect(directory.accounts.get("acme")?.credentials).toHaveLength(1);
  });
});
