import { beforeEach, describe, expect, it } from "vitest";
import { createSubAccount, getSubAccount } from "../../../functions/core/sub-accounts.ts";
import { addCredit, changeLimits, readUsage } from "../../../functions/core/usage.ts";
import { ManualClock, MemoryDirectory } from "../../support/memory.ts";
import { MemorySubAccounts, MemoryUsageCounters } from "../../support/memory-customers.ts";
import { sampleAccount } from "../../support/samples.ts";

async function newDependencies() {
  const directory = new MemoryDirectory();
  directory.accounts.set("acme", sampleAccount());
  const deps = {
    directory,
    subAccounts: new MemorySubAccounts(),
    usage: new MemoryUsageCounters(),
    // Still the last day of February in São Paulo.
    clock: new ManualClock(Date.parse("2026-03-01T02:00:00Z")),
  };
  await createSubAccount(deps, { account: "acme", subAccount: "sales" });
  return deps;
}

let deps: Awaited<ReturnType<typeof newDependencies>>;
beforeEach(async () => {
  deps = await newDependencies();
});

const ACCOUNT = { account: "acme" };
const SUB_ACCOUNT = { account: "acme", subAccount: "sales" };

describe("limits", () => {
  it("change field by field, of the account or of the sub-account", async () => {
    await changeLimits(deps, ACCOUNT, { perDay: 10, perMonth: 100 });
    expect(await changeLimits(deps, ACCOUNT, { perDay: null, prepaid: true })).toEqual({
      perMonth: 100,
      prepaid: true,
    });
    expect(await changeLimits(deps, SUB_ACCOUNT, { perDay: 3 })).toEqual({
      perDay: 3,
      prepaid: false,
    });
    expect(deps.directory.accounts.get("acme")?.limits.perMonth).toBe(100);
    expect((await getSubAccount(deps, "acme", "sales")).limits.perDay).toBe(3);
  });

  it("may be 0, which is nothing at all", async () => {
    expect(await changeLimits(deps, ACCOUNT, { perDay: 0 })).toMatchObject({ perDay: 0 });
  });

  it.each([ACCOUNT, SUB_ACCOUNT])("are not negative, or broken: %j", async (owner) => {
    await expect(changeLimits(deps, owner, { perDay: -1 })).rejects.toThrow(/limits\.perDay/);
    await expect(changeLimits(deps, owner, { perMonth: 1.5 })).rejects.toThrow(/limits\.perMonth/);
  });
});

describe("credit", () => {
  it("is added, taken, and counted once per request", async () => {
    expect(await addCredit(deps, SUB_ACCOUNT, 100, "one")).toBe(100);
    expect(await addCredit(deps, SUB_ACCOUNT, 100, "one")).toBe(100);
    expect(await addCredit(deps, SUB_ACCOUNT, -30, "two")).toBe(70);
    expect((await readUsage(deps, ACCOUNT)).usage.credit).toBe(0);
  });

  it.each([0, 1.5, Number.NaN, 1_000_000_001])("is not changed by %d parts", async (parts) => {
    await expect(addCredit(deps, ACCOUNT, parts, "one")).rejects.toThrow();
    expect((await readUsage(deps, ACCOUNT)).usage.credit).toBe(0);
  });
});

describe("usage", () => {
  const take = (parts: number) =>
    deps.usage.take({
      owner: ACCOUNT,
      limits: { perDay: 100, perMonth: 1_000, prepaid: false },
      day: "2026-02-28",
      month: "2026-02",
      parts,
      token: "one",
    });

  it("is that of the day and month in the account's time zone", async () => {
    await changeLimits(deps, ACCOUNT, { perDay: 100 });
    await take(7);
    expect(await readUsage(deps, ACCOUNT)).toEqual({
      limits: { perDay: 100, prepaid: false },
      usage: { day: "2026-02-28", usedToday: 7, month: "2026-02", usedThisMonth: 7, credit: 0 },
    });
  });

  it("begins anew with each day and month", async () => {
    await take(7);
    deps.clock.advance(2 * 3_600_000);
    expect((await readUsage(deps, ACCOUNT)).usage).toEqual({
      day: "2026-03-01",
      usedToday: 0,
      month: "2026-03",
      usedThisMonth: 0,
      credit: 0,
    });
  });

  it("is nothing where nothing was ever counted", async () => {
    expect((await readUsage(deps, SUB_ACCOUNT)).usage).toMatchObject({ usedToday: 0, credit: 0 });
  });
});

describe.each([
  ["account", { account: "nobody" }, /no account "nobody"/],
  ["sub-account", { account: "acme", subAccount: "nowhere" }, /no sub-account "nowhere"/],
])("an %s that there is not", (_, owner, message) => {
  it("has no limits, credit or usage", async () => {
    await expect(changeLimits(deps, owner, {})).rejects.toThrow(message);
    await expect(addCredit(deps, owner, 1, "one")).rejects.toThrow(message);
    await expect(readUsage(deps, owner)).rejects.toThrow(message);
  });
});
