import { describe, expect, it } from "vitest";
import type { Caller } from "../../../functions/core/authenticate.ts";
import type { Template } from "../../../functions/core/content.ts";
import {
  resolveCampaign,
  resolveContent,
  resolveSubAccount,
  zoneOf,
} from "../../../functions/core/resolve-request.ts";
import { MemoryContents, MemorySubAccounts } from "../../support/memory-customers.ts";
import { sampleAccount } from "../../support/samples.ts";
import { sampleSubAccount, sampleUser } from "./support.ts";

const account = sampleAccount();
const admin: Caller = { account, user: sampleUser({ role: "admin", subAccount: undefined }) };
const regular: Caller = {
  account,
  user: sampleUser({ role: "regular", subAccount: "sales" }),
  subAccount: sampleSubAccount({ subAccount: "sales" }),
};

const wrong = (problem: RegExp) => ({ ok: false, problem: expect.stringMatching(problem) });
const forbidden = { ok: false, forbidden: true, problem: expect.stringMatching(/administrators/) };

describe("the time zone of a user's dates", () => {
  const paulista = sampleAccount({ timeZone: "America/Sao_Paulo" });

  it.each([
    ["its own", { timeZone: "Asia/Tokyo", country: "CO" }, "Asia/Tokyo"],
    ["its country's capital's", { country: "CO" }, "America/Bogota"],
    ["UTC in a country that is not known", { country: "ZZ" }, "UTC"],
    ["its account's", {}, "America/Sao_Paulo"],
  ] as const)("is %s", (_, user, zone) => {
    expect(zoneOf(user, paulista)).toBe(zone);
  });
});

describe("the sub-account that a call is for", () => {
  const resolve = async (caller: Caller, named: string | undefined) => {
    const subAccounts = new MemorySubAccounts();
    for (const subAccount of ["sales", "support"]) {
      await subAccounts.insertSubAccount(sampleSubAccount({ subAccount }));
    }
    await subAccounts.insertSubAccount(
      sampleSubAccount({ account: "other", subAccount: "theirs" }),
    );
    return resolveSubAccount({ subAccounts }, caller, named);
  };

  it("is a regular user's own, named or not", async () => {
    const own = { ok: true, value: regular.subAccount };
    expect(await resolve(regular, undefined)).toEqual(own);
    expect(await resolve(regular, "sales")).toEqual(own);
  });

  it.each(["support", "theirs", "unknown", "SALES", "", "sales "])(
    "is not a regular user's to name, whether there is such a one or not: %j",
    async (named) => {
      expect(await resolve(regular, named)).toEqual(forbidden);
    },
  );

  it("is the one that an administrator names, or none", async () => {
    expect(await resolve(admin, undefined)).toEqual({ ok: true, value: undefined });
    expect(await resolve(admin, "support")).toEqual({
      ok: true,
      value: sampleSubAccount({ subAccount: "support" }),
    });
  });

  it.each(["unknown", "theirs", ""])(
    "is wrong where the account has none such: %j",
    async (named) => {
      const resolved = await resolve(admin, named);
      expect(resolved).toEqual(wrong(/no such sub-account/));
      expect(resolved).not.toHaveProperty("forbidden");
    },
  );
});

describe("the text that a request names", () => {
  const template = (templateId: number, overrides: Partial<Template> = {}): Template => ({
    version: 1,
    account: "acme",
    templateId,
    name: `name ${templateId}`,
    text: `text ${templateId}`,
    createdAt: 0,
    ...overrides,
  });

  const resolve = async (
    reference: Parameters<typeof resolveContent>[2],
    caller: Caller = admin,
  ) => {
    const contents = new MemoryContents();
    const templates = [
      template(0, { name: "zero" }),
      template(1),
      template(2, { name: "twice" }),
      template(3, { name: "twice" }),
      template(4, { name: "ours", subAccount: "sales" }),
      template(5, { name: "another's", subAccount: "support" }),
      // Of the same name, one of everybody's and one of another sub-account.
      template(6, { name: "shared" }),
      template(7, { name: "shared", subAccount: "support" }),
      template(8, { account: "other", name: "elsewhere" }),
    ];
    for (const one of templates) await contents.putTemplate(one);
    for (const owner of ["acme", "other"]) {
      const flowId = `flow-of-${owner}`;
      await contents.putFlow({ version: 1, account: owner, flowId, text: "flow", createdAt: 0 });
    }
    return resolveContent({ contents }, caller, reference);
  };
  const text = (value: string | undefined) => ({ ok: true, value });
  const none = wrong(/no such template/);

  it("is none where none is named", async () => {
    expect(await resolve({})).toEqual(text(undefined));
    const absent = { templateId: undefined, templateName: undefined, flowId: undefined };
    expect(await resolve(absent, regular)).toEqual(text(undefined));
  });

  it("is a template's, by its number or its name", async () => {
    expect(await resolve({ templateId: 1 })).toEqual(text("text 1"));
    expect(await resolve({ templateId: 0 })).toEqual(text("text 0"));
    expect(await resolve({ templateName: "name 1" })).toEqual(text("text 1"));
    expect(await resolve({ templateName: "zero" }, regular)).toEqual(text("text 0"));
  });

  it("is wrong where there is no such template", async () => {
    for (const reference of [
      { templateId: 9 },
      { templateId: 8 },
      { templateName: "unknown" },
      { templateName: "elsewhere" },
      { templateName: "NAME 1" },
      { templateName: "" },
    ]) {
      expect(await resolve(reference)).toEqual(none);
    }
  });

  it("is wrong where several have the name, and told apart by the number", async () => {
    expect(await resolve({ templateName: "twice" })).toEqual(wrong(/several.*templateId/));
    expect(await resolve({ templateName: "twice", templateId: 3 })).toEqual(text("text 3"));
    expect(await resolve({ templateName: "twice", templateId: 1 })).toEqual(none);
  });

  it("is a regular user's own or everybody's, as if there were no others", async () => {
    expect(await resolve({ templateId: 4 }, regular)).toEqual(text("text 4"));
    expect(await resolve({ templateName: "ours" }, regular)).toEqual(text("text 4"));
    expect(await resolve({ templateId: 5 }, regular)).toEqual(none);
    expect(await resolve({ templateName: "another's" }, regular)).toEqual(none);
    expect(await resolve({ templateName: "shared" }, regular)).toEqual(text("text 6"));
    expect(await resolve({ templateId: 7 }, regular)).toEqual(none);
  });

  it("is any of the account's for an administrator", async () => {
    expect(await resolve({ templateId: 5 })).toEqual(text("text 5"));
    expect(await resolve({ templateName: "another's" })).toEqual(text("text 5"));
    expect(await resolve({ templateName: "shared" })).toEqual(wrong(/several/));
  });

  it("is a flow's", async () => {
    expect(await resolve({ flowId: "flow-of-acme" }, regular)).toEqual(text("flow"));
    for (const flowId of ["unknown", "flow-of-other", ""]) {
      expect(await resolve({ flowId })).toEqual(wrong(/no such flow/));
    }
  });
});

describe("the campaign that a request names", () => {
  const resolve = async (alias: string | undefined) => {
    const contents = new MemoryContents();
    await contents.insertCampaign({
      version: 1,
      account: "acme",
      campaignId: 7,
      alias: "Natal",
      createdAt: 0,
    });
    await contents.insertCampaign({
      version: 1,
      account: "other",
      campaignId: 8,
      alias: "theirs",
      createdAt: 0,
    });
    return resolveCampaign({ contents }, account, alias);
  };

  it("must be there, where one is named", async () => {
    expect(await resolve(undefined)).toEqual({ ok: true, value: undefined });
    expect(await resolve("Natal")).toMatchObject({
      ok: true,
      value: { campaignId: 7, alias: "Natal" },
    });
    for (const alias of ["natal", "theirs", ""]) {
      expect(await resolve(alias)).toEqual(wrong(/no such campaign/));
    }
  });
});
