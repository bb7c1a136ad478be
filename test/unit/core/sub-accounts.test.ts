import { beforeEach, describe, expect, it } from "vitest";
import { InvalidRequestError } from "../../../functions/core/accounts.ts";
import {
  changeSubAccount,
  createSubAccount,
  getSubAccount,
  removeSubAccount,
} from "../../../functions/core/sub-accounts.ts";
import { createUser } from "../../../functions/core/users.ts";
import { CountingRandomness, ManualClock, MemoryDirectory } from "../../support/memory.ts";
import { MemorySubAccounts, MemoryUsers } from "../../support/memory-customers.ts";
import { sampleAccount, sampleEndpoint } from "../../support/samples.ts";

const account = sampleAccount();

function newDependencies() {
  const directory = new MemoryDirectory();
  directory.accounts.set(account.account, account);
  return {
    directory,
    subAccounts: new MemorySubAccounts(),
    users: new MemoryUsers(),
    clock: new ManualClock(),
    randomness: new CountingRandomness(),
  };
}

describe("sub-accounts", () => {
  let deps: ReturnType<typeof newDependencies>;
  beforeEach(() => {
    deps = newDependencies();
  });

  it("are created without limits, and with the account's opt-out", async () => {
    const created = await createSubAccount(deps, { account: "acme", subAccount: "Sales 1" });
    expect(created).toEqual({
      version: 1,
      account: "acme",
      subAccount: "Sales 1",
      limits: { prepaid: false },
      optOut: undefined,
      createdAt: deps.clock.now(),
      revision: 0,
    });
    expect(await getSubAccount(deps, "acme", "Sales 1")).toEqual(created);
  });

  it("are created with limits, and with an opt-out that is else the account's", async () => {
    deps.directory.accounts.set("acme", {
      ...account,
      optOut: { ...account.optOut, confirmation: "Adeus." },
    });
    const created = await createSubAccount(deps, {
      account: "acme",
      subAccount: "sales",
      limits: { perDay: 5, prepaid: true },
      optOut: { keywords: ["FIM"] },
    });
    expect(created.limits).toEqual({ perDay: 5, prepaid: true });
    expect(created.optOut).toEqual({
      ...account.optOut,
      keywords: ["FIM"],
      confirmation: "Adeus.",
    });
  });

  it.each([
    ["a # in the reference", { account: "acme", subAccount: "a#b" }, /letters, digits/],
    ["an empty reference", { account: "acme", subAccount: "" }, /letters, digits/],
    ["an unknown account", { account: "nobody", subAccount: "a" }, /no account "nobody"/],
    [
      "a negative limit",
      { account: "acme", subAccount: "a", limits: { perMonth: -1 } },
      /^limits\.perMonth: /,
    ],
    [
      "an endless confirmation",
      { account: "acme", subAccount: "a", optOut: { confirmation: "x".repeat(161) } },
      /^confirmation: /,
    ],
  ])("are not created with %s", async (_, request, message) => {
    await expect(createSubAccount(deps, request)).rejects.toThrow(InvalidRequestError);
    await expect(createSubAccount(deps, request)).rejects.toThrow(message);
    expect(await deps.subAccounts.listSubAccounts("acme")).toEqual([]);
  });

  it("are not created twice", async () => {
    const request = { account: "acme", subAccount: "sales" };
    await createSubAccount(deps, { ...request, limits: { perDay: 1 } });
    await expect(createSubAccount(deps, request)).rejects.toThrow(/"sales" already/);
    expect((await getSubAccount(deps, "acme", "sales")).limits.perDay).toBe(1);
  });

  it("change field by field", async () => {
    await createSubAccount(deps, {
      account: "acme",
      subAccount: "sales",
      limits: { perDay: 5, perMonth: 50 },
    });
    const changed = await changeSubAccount(deps, "acme", "sales", {
      limits: { perDay: null, prepaid: true },
    });
    expect(changed).toMatchObject({ limits: { perMonth: 50, prepaid: true }, revision: 1 });
    expect(changed.limits).not.toHaveProperty("perDay");
    expect(await getSubAccount(deps, "acme", "sales")).toEqual(changed);
  });

  it("get an opt-out of their own, and lose it again", async () => {
    await createSubAccount(deps, { account: "acme", subAccount: "sales" });
    const changeOptOut = (optOut: Parameters<typeof changeSubAccount>[3]["optOut"]) =>
      changeSubAccount(deps, "acme", "sales", { optOut });
    await changeOptOut({ keywords: ["FIM"] });
    expect(await changeOptOut({ enabled: false })).toMatchObject({
      optOut: { ...account.optOut, keywords: ["FIM"], enabled: false },
    });
    expect((await changeOptOut(undefined)).optOut).toBeDefined();
    expect((await changeOptOut(null)).optOut).toBeUndefined();
  });

  it("have no word that opts both out and in again", async () => {
    const create = (optOut: object) =>
      createSubAccount(deps, { account: "acme", subAccount: "sales", optOut });
    const message = /^optOut\.backKeywords: ".*" is one of the keywords, too/;
    await expect(create({ keywords: ["Võltar"] })).rejects.toThrow(message);
    await create({ keywords: ["FIM"] });
    const change = changeSubAccount(deps, "acme", "sales", { optOut: { backKeywords: ["fim."] } });
    await expect(change).rejects.toThrow(message);
  });

  it("are not changed by two at the same time", async () => {
    await createSubAccount(deps, { account: "acme", subAccount: "sales" });
    const results = await Promise.allSettled([
      changeSubAccount(deps, "acme", "sales", { limits: { perDay: 1 } }),
      changeSubAccount(deps, "acme", "sales", { limits: { perDay: 2 } }),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  });

  it("are removed when nothing belongs to them any more", async () => {
    await createSubAccount(deps, { account: "acme", subAccount: "sales" });
    await createUser(deps, {
      account: "acme",
      username: "ana",
      role: "regular",
      subAccount: "sales",
    });
    await deps.directory.putEndpoint(sampleEndpoint({ subAccount: "sales" }));
    await expect(removeSubAccount(deps, "acme", "sales")).rejects.toThrow(
      /user "ana", endpoint endpoint-1: remove these first/,
    );
    await deps.users.removeUser("acme", "ana");
    await deps.directory.removeEndpoint("acme", "endpoint-1");
    await deps.directory.putEndpoint(sampleEndpoint({ subAccount: "support" }));
    await removeSubAccount(deps, "acme", "sales");
    await expect(removeSubAccount(deps, "acme", "sales")).rejects.toThrow(/no sub-account "sales"/);
  });

  it("are not changed where there is none", async () => {
    await expect(changeSubAccount(deps, "acme", "sales", {})).rejects.toThrow(
      'account "acme" has no sub-account "sales"',
    );
  });
});
