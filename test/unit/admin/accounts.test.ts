import { describe, expect, it } from "vitest";
import { changeAccountSettings } from "../../../functions/core/accounts.ts";
import { sampleAccount } from "../../support/samples.ts";
import { codeOf, messageOf, NUMBER, sampleSubAccount, TestAdmin } from "./support.ts";

const bodyOf = async (answer: Promise<{ status: number; body: unknown }>) => {
  const { status, body } = await answer;
  expect(status).toBeLessThan(300);
  return body;
};

describe("the account", () => {
  it("is shown without its secrets", async () => {
    const api = await TestAdmin.create();
    expect(await bodyOf(api.get("/account"))).toEqual({
      account: "acme",
      state: "active",
      country: "BR",
      timeZone: "America/Sao_Paulo",
      longMessages: false,
      segmentation: "mesago",
      transliterate: false,
      operatorOfMo: false,
      shortCodes: [],
      moDialect: "mesago",
      optOut: expect.objectContaining({ enabled: true, keywords: expect.any(Array) }),
      senders: [],
      rateLimits: {},
      createdAt: "1970-01-01T00:00:00Z",
    });
  });

  it("is shown with its senders and routes, whatever these name", async () => {
    const api = await TestAdmin.create();
    const senders = ["27182", "Acme"];
    const routes = [
      { country: ["BR"], operator: ["Vivo"], subAccount: ["Sales"], carrier: "kannel" },
      { lane: "bulk" as const, share: 12.5, carrier: "aws" },
    ];
    api.directory.accounts.set("acme", sampleAccount({ senders, routes }));
    expect(await bodyOf(api.get("/account"))).toMatchObject({ senders, routes });
    const changed = await bodyOf(api.ask("PATCH", "/account", { transliterate: true }));
    expect(changed).toMatchObject({ senders, routes, transliterate: true });
  });

  it("has settings that can be changed field by field, and back to their defaults", async () => {
    const api = await TestAdmin.create();
    const changed = await bodyOf(
      api.ask("PATCH", "/account", {
        moDialect: "wavy",
        transliterate: true,
        optOut: { keywords: ["FORA"], confirmation: "" },
      }),
    );
    expect(changed).toMatchObject({
      moDialect: "wavy",
      transliterate: true,
      optOut: { enabled: true, keywords: ["FORA"], confirmation: "" },
    });
    expect(await bodyOf(api.get("/account"))).toEqual(changed);
    const reset = await bodyOf(api.ask("PATCH", "/account", { optOut: { keywords: null } }));
    expect(reset).toMatchObject({ optOut: { keywords: ["SAIR", "PARAR", "STOP", "CANCELAR"] } });
  });

  it.each(["email", "moDialect", "transliterate", "optOut"])(
    "has the default of %s again where it is null",
    async (name) => {
      const api = await TestAdmin.create();
      const before = await bodyOf(api.get("/account"));
      const changes = {
        email: "ops@acme.example",
        moDialect: "wavy",
        transliterate: true,
        optOut: { enabled: false, keywords: ["FORA"], confirmation: "" },
      };
      const changed = await bodyOf(api.ask("PATCH", "/account", changes));
      const reset = await bodyOf(api.ask("PATCH", "/account", { [name]: null }));
      expect(reset).toEqual({
        ...(changed as object),
        [name]: (before as Record<string, unknown>)[name],
      });
    },
  );

  it.each([
    ["/account", { optOut: { backKeywords: ["¡Sáir!"] } }],
    ["/account", { optOut: { keywords: ["a", "start"] } }],
    ["/sub-accounts/Sales", { optOut: { keywords: ["X"], backKeywords: ["x"] } }],
    ["/sub-accounts", { subAccount: "New", optOut: { keywords: ["voltar"] } }],
  ])("has no word that means both ways: %s %j", async (path, body) => {
    const api = await TestAdmin.create();
    const refused = await api.ask(path === "/sub-accounts" ? "POST" : "PATCH", path, body);
    expect(codeOf(refused)).toBe("400 INVALID_REQUEST");
    expect(messageOf(refused)).toMatch(/^optOut\.backKeywords: .* is one of the keywords/);
  });

  it.each([
    ["longMessages", true],
    ["segmentation", "gsm"],
    ["shortCodes", ["27182"]],
    ["operatorOfMo", true],
    ["senders", ["27182"]],
    ["senders", null],
    ["routes", [{ carrier: "sandbox" }]],
    ["routes", null],
    ["rateLimits", { requestsPerSecond: 1 }],
    ["limits", { prepaid: false }],
    ["state", "disabled"],
    ["credentials", []],
    ["account", "other"],
  ])("has a %s that is the operator's to change", async (name, value) => {
    const api = await TestAdmin.create();
    const refused = await api.ask("PATCH", "/account", { [name]: value });
    expect(codeOf(refused)).toBe("400 INVALID_REQUEST");
    expect(messageOf(refused)).toContain(`there is no field "${name}"`);
  });

  it("is not changed by two at a time", async () => {
    const api = await TestAdmin.create();
    const { directory } = api;
    const update = directory.updateAccount.bind(directory);
    directory.updateAccount = async (read, changed) => {
      await update(read, { ...read, revision: read.revision + 1 });
      return update(read, changed);
    };
    const refused = await api.ask("PATCH", "/account", { transliterate: true });
    expect(codeOf(refused)).toBe("409 CONFLICT");
    expect(directory.accounts.get("acme")).toMatchObject({ transliterate: false });
  });
});

describe("the account's limits", () => {
  it("are shown with what is used of them today and this month", async () => {
    const api = await TestAdmin.create();
    await api.usage.take({
      owner: { account: "acme" },
      limits: { prepaid: false },
      day: "2026-03-02",
      month: "2026-03",
      parts: 7,
      token: "t",
    });
    const usage = {
      day: "2026-03-02",
      usedToday: 7,
      month: "2026-03",
      usedThisMonth: 7,
      credit: 0,
    };
    expect(await bodyOf(api.get("/limits"))).toEqual({ prepaid: false, usage });
    api.clock.advance(86_400_000);
    expect(await bodyOf(api.get("/limits"))).toMatchObject({
      usage: { day: "2026-03-03", usedToday: 0, usedThisMonth: 7 },
    });
  });

  it("can be set where there are none, and lowered", async () => {
    const api = await TestAdmin.create();
    for (const limits of [{ perDay: 100 }, { perMonth: 1_000 }, { perDay: 50 }, { perDay: 0 }]) {
      expect(await bodyOf(api.ask("PATCH", "/limits", limits))).toMatchObject(limits);
    }
    expect(await bodyOf(api.get("/limits"))).toMatchObject({ perDay: 0, perMonth: 1_000 });
    expect(await bodyOf(api.ask("PATCH", "/limits", { perDay: 0 }))).toMatchObject({ perDay: 0 });
  });

  it.each([{ perDay: 101 }, { perDay: null }, { perMonth: 5, perDay: 1_000 }])(
    "cannot be raised or removed: %j",
    async (limits) => {
      const api = await TestAdmin.create();
      await api.ask("PATCH", "/limits", { perDay: 100 });
      expect(codeOf(await api.ask("PATCH", "/limits", limits))).toBe("403 FORBIDDEN");
      const { limits: kept } = api.directory.accounts.get("acme") ?? {};
      expect(kept).toEqual({ perDay: 100, prepaid: false });
    },
  );

  it.each([1, 2, 3, 4])(
    "cannot be raised over one that the operator sets meanwhile, after look-up %i",
    async (moment) => {
      const api = await TestAdmin.create();
      const { directory } = api;
      const find = directory.findAccount.bind(directory);
      let lookUps = 0;
      directory.findAccount = async (account) => {
        const found = await find(account);
        if (++lookUps === moment) {
          await changeAccountSettings({ directory }, "acme", { limits: { perDay: 10 } });
        }
        return found;
      };
      const answer = await api.ask("PATCH", "/limits", { perDay: 100 });
      // The last look-up is that of the answer, when the administrator's change was the first.
      const { status } = answer;
      expect(status).toBe({ 1: 403, 2: 403, 3: 409 }[moment] ?? 200);
      expect(directory.accounts.get("acme")?.limits.perDay).toBe(10);
    },
  );

  it("leave it to the operator who prepays", async () => {
    const api = await TestAdmin.create();
    expect(codeOf(await api.ask("PATCH", "/limits", { prepaid: true }))).toBe(
      "400 INVALID_REQUEST",
    );
  });

  it.each([{ perDay: -1 }, { perDay: 1.5 }, { perMonth: "1" }, { perDay: 1e20 }])(
    "cannot be %j",
    async (limits) => {
      const api = await TestAdmin.create();
      expect(codeOf(await api.ask("PATCH", "/limits", limits))).toBe("400 INVALID_REQUEST");
    },
  );
});

describe("sub-accounts", () => {
  it("are created, shown, listed, changed and removed", async () => {
    const api = await TestAdmin.create();
    const created = await api.ask("POST", "/sub-accounts", {
      subAccount: "Vendas São Paulo",
      limits: { perDay: 5, prepaid: true },
      optOut: { keywords: ["FORA"] },
    });
    expect(created).toMatchObject({
      status: 201,
      headers: { location: "/admin/v1/sub-accounts/Vendas%20S%C3%A3o%20Paulo" },
      body: {
        subAccount: "Vendas São Paulo",
        limits: { perDay: 5, prepaid: true },
        optOut: { keywords: ["FORA"], enabled: true },
      },
    });
    const path = "/sub-accounts/Vendas São Paulo";
    expect(await bodyOf(api.get(path))).toEqual(created.body);
    expect(await bodyOf(api.get("/sub-accounts"))).toMatchObject({
      total: 2,
      subAccounts: [{ subAccount: "Sales" }, { subAccount: "Vendas São Paulo" }],
    });
    expect(await bodyOf(api.ask("PATCH", path, { optOut: null }))).not.toHaveProperty("optOut");
    expect(await api.ask("DELETE", path)).toMatchObject({ status: 204, body: "" });
    expect(codeOf(await api.get(path))).toBe("404 NOT_FOUND");
  });

  it("have references of their own", async () => {
    const api = await TestAdmin.create();
    const refused = await api.ask("POST", "/sub-accounts", { subAccount: "Sales" });
    expect(codeOf(refused)).toBe("409 CONFLICT");
    expect(messageOf(refused)).toContain('"Sales"');
  });

  it("stay as long as somebody belongs to them", async () => {
    const api = await TestAdmin.create();
    const refused = await api.ask("DELETE", "/sub-accounts/Sales");
    expect(codeOf(refused)).toBe("409 CONFLICT");
    expect(messageOf(refused)).toContain("clerk");
  });

  it("have limits that administrators change as they like, and credit that they add to", async () => {
    const api = await TestAdmin.create();
    const path = "/sub-accounts/Sales";
    for (const limits of [{ perDay: 5, prepaid: true }, { perDay: 50 }, { perMonth: 7 }]) {
      expect(await bodyOf(api.ask("PATCH", `${path}/limits`, limits))).toMatchObject(limits);
    }
    expect(await bodyOf(api.ask("PATCH", `${path}/limits`, { perDay: null }))).toEqual({
      perMonth: 7,
      prepaid: true,
      usage: expect.objectContaining({ credit: 0 }),
    });
    expect(await bodyOf(api.ask("POST", `${path}/credit`, { parts: 100 }))).toEqual({
      credit: 100,
    });
    expect(await bodyOf(api.ask("POST", `${path}/credit`, { parts: -30 }))).toEqual({ credit: 70 });
    expect(await bodyOf(api.get(`${path}/limits`))).toMatchObject({ usage: { credit: 70 } });
    expect(await bodyOf(api.get("/limits"))).toMatchObject({ usage: { credit: 0 } });
  });

  it("get credit once for a request that comes twice", async () => {
    const api = await TestAdmin.create();
    const add = () =>
      api.ask("POST", "/sub-accounts/Sales/credit", { parts: 5, requestId: "invoice-1" });
    expect(await bodyOf(add())).toEqual({ credit: 5 });
    expect(await bodyOf(add())).toEqual({ credit: 5 });
  });

  it.each([{}, { parts: 0 }, { parts: 1.5 }, { parts: "5" }, { parts: 1e9 + 1 }, { parts: null }])(
    "get no credit of %j",
    async (body) => {
      const api = await TestAdmin.create();
      expect(codeOf(await api.ask("POST", "/sub-accounts/Sales/credit", body))).toBe(
        "400 INVALID_REQUEST",
      );
    },
  );

  it.each([
    {},
    { subAccount: "" },
    { subAccount: "#" },
    { subAccount: "a/b" },
    { subAccount: 5 },
    { subAccount: "a".repeat(65) },
    { subAccount: "a", limits: null },
    { subAccount: "a", optOut: { keywords: [""] } },
    { subAccount: "a", optOut: { keywords: ["\ud800"] } },
    { subAccount: "a", optOut: { keywords: Array(51).fill("a") } },
    { subAccount: "a", optOut: { confirmation: "a".repeat(161) } },
  ])("cannot be %j", async (body) => {
    const api = await TestAdmin.create();
    expect(codeOf(await api.ask("POST", "/sub-accounts", body))).toBe("400 INVALID_REQUEST");
  });

  it.each([
    ["/sub-accounts/Sales", { optOut: { enabled: false } }],
    ["/sub-accounts/Sales/limits", { perDay: 1 }],
  ])("are not changed by two at a time: %s", async (path, body) => {
    const api = await TestAdmin.create();
    const { subAccounts } = api;
    const update = subAccounts.updateSubAccount.bind(subAccounts);
    subAccounts.updateSubAccount = async (read, changed) => {
      await update(read, { ...read, revision: read.revision + 1 });
      return update(read, changed);
    };
    expect(codeOf(await api.ask("PATCH", path, body))).toBe("409 CONFLICT");
    expect(await subAccounts.findSubAccount("acme", "Sales")).toEqual(
      sampleSubAccount({ revision: 1 }),
    );
  });

  it("that vanish while they are being changed are gone", async () => {
    const api = await TestAdmin.create();
    const { subAccounts } = api;
    subAccounts.updateSubAccount = async ({ account, subAccount }) => {
      await subAccounts.removeSubAccount(account, subAccount);
      return false;
    };
    expect(codeOf(await api.ask("PATCH", "/sub-accounts/Sales", {}))).toBe("404 NOT_FOUND");
  });
});

describe("blocked numbers", () => {
  it("are blocked, listed, and let through again, however they are written", async () => {
    const api = await TestAdmin.create();
    for (const written of [NUMBER, "+55 19 90000-1111", "(19) 90000-1111"]) {
      expect(await bodyOf(api.ask("PUT", `/blocked-numbers/${written}`))).toEqual({
        number: NUMBER,
      });
    }
    expect(await bodyOf(api.get("/blocked-numbers"))).toEqual({
      total: 1,
      blockedNumbers: [{ number: NUMBER, createdAt: "2026-03-02T15:00:00Z" }],
    });
    expect((await api.ask("DELETE", "/blocked-numbers/19900001111")).status).toBe(204);
    expect(codeOf(await api.ask("DELETE", "/blocked-numbers/19900001111"))).toBe("404 NOT_FOUND");
  });

  it.each([
    ["PUT", "/blocked-numbers/123"],
    ["DELETE", "/blocked-numbers/123"],
    ["PUT", "/blocked-numbers/secret"],
    ["PUT", "/opt-outs/123"],
    ["DELETE", "/opt-outs/551133334444"],
  ])("are numbers of phones: %s %s", async (method, path) => {
    const api = await TestAdmin.create();
    expect(codeOf(await api.ask(method, path))).toBe("400 INVALID_REQUEST");
  });
});

describe("opt-outs", () => {
  const ofSales = { query: { subAccount: "Sales" } };

  it("are written down and taken back, of a sub-account or of all", async () => {
    const api = await TestAdmin.create();
    const path = `/opt-outs/${NUMBER}`;
    expect(await bodyOf(api.ask("PUT", path))).toEqual({ number: NUMBER });
    expect(await bodyOf(api.ask("PUT", path, undefined, ofSales))).toEqual({
      number: NUMBER,
      subAccount: "Sales",
    });
    const common = { number: NUMBER, origin: "admin", createdAt: "2026-03-02T15:00:00Z" };
    const listed = (await bodyOf(api.get("/opt-outs"))) as { total: number; optOuts: unknown[] };
    expect(listed.total).toBe(2);
    expect(listed.optOuts).toContainEqual(common);
    expect(await bodyOf(api.get("/opt-outs", { subAccount: "Sales" }))).toEqual({
      total: 1,
      optOuts: [{ ...common, subAccount: "Sales" }],
    });
    api.clock.advance(1_000);
    expect((await api.ask("DELETE", path)).status).toBe(204);
    expect(await bodyOf(api.get("/opt-outs"))).toEqual({ total: 0, optOuts: [] });
    api.clock.advance(1_000);
    expect(codeOf(await api.ask("DELETE", path))).toBe("404 NOT_FOUND");
  });

  it.each(["PUT", "DELETE"])("%s needs a sub-account that there is", async (method) => {
    const api = await TestAdmin.create();
    const query = { subAccount: "None" };
    const refused = await api.ask(method, `/opt-outs/${NUMBER}`, undefined, { query });
    expect(codeOf(refused)).toBe("404 NOT_FOUND");
    expect(codeOf(await api.get("/opt-outs", query))).toBe("404 NOT_FOUND");
  });
});
