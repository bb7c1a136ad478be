import { beforeEach, describe, expect, it } from "vitest";
import { ConflictError, InvalidRequestError } from "../../../functions/core/accounts.ts";
import {
  changeFlow,
  changeTemplate,
  createCampaign,
  createFlow,
  createTemplate,
  removeCampaign,
  removeFlow,
  removeTemplate,
} from "../../../functions/core/contents.ts";
import { createSubAccount } from "../../../functions/core/sub-accounts.ts";
import { CountingRandomness, ManualClock, MemoryDirectory } from "../../support/memory.ts";
import { MemoryContents, MemorySubAccounts } from "../../support/memory-customers.ts";
import { sampleAccount } from "../../support/samples.ts";

async function newDependencies() {
  const directory = new MemoryDirectory();
  directory.accounts.set("acme", sampleAccount());
  const deps = {
    directory,
    subAccounts: new MemorySubAccounts(),
    contents: new MemoryContents(),
    clock: new ManualClock(),
    randomness: new CountingRandomness(),
  };
  await createSubAccount(deps, { account: "acme", subAccount: "sales" });
  return deps;
}

let deps: Awaited<ReturnType<typeof newDependencies>>;
beforeEach(async () => {
  deps = await newDependencies();
});

const TOO_LONG = "x".repeat(1_281);

describe("templates", () => {
  const request = { account: "acme", name: "welcome", text: "Hello {{name}}" };

  it("get numbers, past those that were chosen by hand", async () => {
    await createTemplate(deps, { ...request, templateId: 2 });
    const first = await createTemplate(deps, request);
    const second = await createTemplate(deps, { ...request, subAccount: "sales" });
    expect([first.templateId, second.templateId]).toEqual([1, 3]);
    expect(second).toMatchObject({ name: "welcome", text: "Hello {{name}}", subAccount: "sales" });
    expect(await deps.contents.listTemplates("acme")).toHaveLength(3);
  });

  it("get numbers that nobody else gets in the same moment", async () => {
    const { contents } = deps;
    const insert = contents.insertTemplate.bind(contents);
    let tries = 0;
    contents.insertTemplate = async (template) => {
      if (++tries === 1) await insert({ ...template, text: "by hand" });
      return insert(template);
    };
    expect((await createTemplate(deps, request)).templateId).toBe(2);
    expect((await contents.findTemplate("acme", 1))?.text).toBe("by hand");
  });

  it("are created once by two who want the same number", async () => {
    const create = (text: string) => createTemplate(deps, { ...request, text, templateId: 5 });
    const results = await Promise.allSettled([create("one"), create("two")]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(results).toContainEqual(
      expect.objectContaining({ reason: expect.any(ConflictError) as unknown }),
    );
  });

  it("that somebody removes while they are being changed do not come back", async () => {
    await createTemplate(deps, request);
    const { contents } = deps;
    const find = contents.findTemplate.bind(contents);
    contents.findTemplate = async (account, templateId) => {
      const found = await find(account, templateId);
      await contents.removeTemplate(account, templateId);
      return found;
    };
    await expect(changeTemplate(deps, "acme", 1, { text: "c" })).rejects.toThrow(ConflictError);
    expect(await contents.listTemplates("acme")).toEqual([]);
  });

  it("may have the number 0, as the vendor document's example has it", async () => {
    expect((await createTemplate(deps, { ...request, templateId: 0 })).templateId).toBe(0);
    await expect(createTemplate(deps, { ...request, text: "Hi", templateId: 0 })).rejects.toThrow(
      /template 0 already/,
    );
  });

  it.each([
    ["an empty text", { ...request, text: "" }, /^text: /],
    ["a text of more than 1,280 characters", { ...request, text: TOO_LONG }, /^text: /],
    ["a broken character", { ...request, text: "a\ud83d" }, /^text: not well-formed/],
    ["an empty name", { ...request, name: "" }, /^name: /],
    ["a negative number", { ...request, templateId: -1 }, /^templateId: /],
    ["an unknown sub-account", { ...request, subAccount: "x" }, /no sub-account "x"/],
    ["an unknown account", { ...request, account: "x" }, /no account "x"/],
  ])("are not created with %s", async (_, wrong, message) => {
    await expect(createTemplate(deps, wrong)).rejects.toThrow(InvalidRequestError);
    await expect(createTemplate(deps, wrong)).rejects.toThrow(message);
    expect((await createTemplate(deps, request)).templateId).toBe(1);
  });

  it("change in what is asked, are removed, and then are no more", async () => {
    await createTemplate(deps, { ...request, subAccount: "sales" });
    const renamed = await changeTemplate(deps, "acme", 1, { name: "hello" });
    expect(renamed).toMatchObject({ name: "hello", text: request.text, subAccount: "sales" });
    const opened = await changeTemplate(deps, "acme", 1, { text: "Hi", subAccount: null });
    expect(opened).toMatchObject({ name: "hello", text: "Hi" });
    expect(opened).not.toHaveProperty("subAccount");
    expect(await deps.contents.findTemplate("acme", 1)).toEqual(opened);
    await expect(changeTemplate(deps, "acme", 1, { text: "" })).rejects.toThrow(/^text: /);
    await expect(changeTemplate(deps, "acme", 1, { subAccount: "x" })).rejects.toThrow(/"x"/);
    await removeTemplate(deps, "acme", 1);
    await expect(removeTemplate(deps, "acme", 1)).rejects.toThrow(/has no template 1/);
    await expect(changeTemplate(deps, "acme", 1, {})).rejects.toThrow(/has no template 1/);
  });
});

describe("flows", () => {
  it("have an id of ours, or one that was chosen", async () => {
    const ours = await createFlow(deps, { account: "acme", text: "Hello" });
    const chosen = await createFlow(deps, { account: "acme", text: "Hi", flowId: "my-flow" });
    expect(ours.flowId).toMatch(/^uuid-/);
    expect(chosen.flowId).toBe("my-flow");
    await expect(
      createFlow(deps, { account: "acme", text: "Hey", flowId: "my-flow" }),
    ).rejects.toThrow(/flow my-flow already/);
  });

  it.each([
    ["an empty text", { account: "acme", text: "" }, /^text: /],
    ["a space in its id", { account: "acme", text: "a", flowId: "a b" }, /^flowId: an id has/],
    ["an unknown account", { account: "x", text: "a" }, /no account "x"/],
  ])("are not created with %s", async (_, wrong, message) => {
    await expect(createFlow(deps, wrong)).rejects.toThrow(message);
  });

  it("are created once by two who want the same id", async () => {
    const create = (text: string) => createFlow(deps, { account: "acme", text, flowId: "f" });
    const results = await Promise.allSettled([create("one"), create("two")]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  });

  it("that somebody removes while they are being changed do not come back", async () => {
    await createFlow(deps, { account: "acme", text: "Hello", flowId: "f" });
    const { contents } = deps;
    const find = contents.findFlow.bind(contents);
    contents.findFlow = async (account, flowId) => {
      const found = await find(account, flowId);
      await contents.removeFlow(account, flowId);
      return found;
    };
    await expect(changeFlow(deps, "acme", "f", { text: "c" })).rejects.toThrow(ConflictError);
    expect(await contents.listFlows("acme")).toEqual([]);
  });

  it("change, are removed, and then are no more", async () => {
    await createFlow(deps, { account: "acme", text: "Hello", flowId: "f" });
    expect((await changeFlow(deps, "acme", "f", { text: "Hi" })).text).toBe("Hi");
    expect((await deps.contents.findFlow("acme", "f"))?.text).toBe("Hi");
    await expect(changeFlow(deps, "acme", "f", { text: TOO_LONG })).rejects.toThrow(/^text: /);
    await removeFlow(deps, "acme", "f");
    await expect(removeFlow(deps, "acme", "f")).rejects.toThrow(/has no flow f/);
    await expect(changeFlow(deps, "acme", "f", {})).rejects.toThrow(/has no flow f/);
  });
});

describe("campaigns", () => {
  it("have numbers, and aliases that are unique", async () => {
    const first = await createCampaign(deps, { account: "acme", alias: "Black Friday" });
    const second = await createCampaign(deps, { account: "acme", alias: "Natal" });
    expect([first.campaignId, second.campaignId]).toEqual([1, 2]);
    await expect(createCampaign(deps, { account: "acme", alias: "Natal" })).rejects.toThrow(
      /campaign "Natal" already/,
    );
    await removeCampaign(deps, "acme", "Natal");
    await expect(removeCampaign(deps, "acme", "Natal")).rejects.toThrow(/no campaign "Natal"/);
    expect(await deps.contents.listCampaigns("acme")).toEqual([first]);
  });

  it.each([
    ["an empty alias", { account: "acme", alias: "" }, /an alias has 1 to 64/],
    ["a # in its alias", { account: "acme", alias: "a#b" }, /an alias has 1 to 64/],
    ["an unknown account", { account: "x", alias: "a" }, /no account "x"/],
  ])("are not created with %s", async (_, wrong, message) => {
    await expect(createCampaign(deps, wrong)).rejects.toThrow(message);
  });
});
