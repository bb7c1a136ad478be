import { beforeEach, describe, expect, it } from "vitest";
import {
  blockNumber,
  listBlocked,
  listOptedOut,
  optInNumber,
  optOutNumber,
  unblockNumber,
} from "../../../functions/core/block-list.ts";
import { createSubAccount } from "../../../functions/core/sub-accounts.ts";
import { ManualClock, MemoryDirectory } from "../../support/memory.ts";
import { MemoryBlockedNumbers, MemorySubAccounts } from "../../support/memory-customers.ts";
import { sampleAccount } from "../../support/samples.ts";

async function newDependencies() {
  const directory = new MemoryDirectory();
  directory.accounts.set("acme", sampleAccount());
  const deps = {
    directory,
    subAccounts: new MemorySubAccounts(),
    blockedNumbers: new MemoryBlockedNumbers(),
    clock: new ManualClock(),
  };
  await createSubAccount(deps, { account: "acme", subAccount: "sales" });
  return deps;
}

let deps: Awaited<ReturnType<typeof newDependencies>>;
beforeEach(async () => {
  deps = await newDependencies();
});

const NUMBER = "5519900001111";
const isNotSentTo = async (subAccount?: string) =>
  (await deps.blockedNumbers.findBlocked("acme", subAccount, [NUMBER])).get(NUMBER);

describe("numbers blocked by their account", () => {
  it.each([NUMBER, "+55 (19) 90000-1111", "19 90000-1111"])("may be written as %s", async (it) => {
    expect(await blockNumber(deps, "acme", it)).toMatchObject({ number: NUMBER });
    expect(await isNotSentTo()).toBe("block-list");
    expect(await unblockNumber(deps, "acme", it)).toBe(NUMBER);
    expect(await isNotSentTo()).toBeUndefined();
  });

  it("stay blocked where they are so already", async () => {
    const first = await blockNumber(deps, "acme", NUMBER);
    deps.clock.advance(1);
    await blockNumber(deps, "acme", NUMBER);
    expect(await listBlocked(deps, "acme")).toEqual([first]);
  });

  it("are let go only where they are blocked", async () => {
    await expect(unblockNumber(deps, "acme", NUMBER)).rejects.toThrow(
      `account "acme" has not blocked ${NUMBER}`,
    );
  });
});

describe("people opted out by hand", () => {
  it("are not sent to by the sub-account, until they are opted in", async () => {
    await optOutNumber(deps, { account: "acme", subAccount: "sales" }, NUMBER);
    await optOutNumber(deps, { account: "acme", subAccount: "sales" }, NUMBER);
    expect(await listOptedOut(deps, "acme")).toEqual([
      expect.objectContaining({ number: NUMBER, subAccount: "sales", origin: "admin" }),
    ]);
    expect(await isNotSentTo("sales")).toBe("opt-out");
    expect(await isNotSentTo()).toBeUndefined();
    deps.clock.advance(1);
    await optInNumber(deps, { account: "acme", subAccount: "sales" }, NUMBER);
    expect(await isNotSentTo("sales")).toBeUndefined();
  });

  it("can be opted in, though the clock of the carrier that told of their wish is ahead", async () => {
    const at = deps.clock.now() + 600_000;
    const word = { account: "acme", subAccount: "sales", number: NUMBER, at, origin: "mo-1" };
    await deps.blockedNumbers.optOut(word);
    await optInNumber(deps, { account: "acme", subAccount: "sales" }, NUMBER);
    expect(await isNotSentTo("sales")).toBeUndefined();
    // That wish again is no new one.
    await deps.blockedNumbers.optOut(word);
    expect(await isNotSentTo("sales")).toBeUndefined();
  });

  it("are not sent to by anybody where it is the whole account", async () => {
    await optOutNumber(deps, { account: "acme" }, NUMBER);
    expect(await isNotSentTo("sales")).toBe("opt-out");
    deps.clock.advance(1);
    await optInNumber(deps, { account: "acme" }, NUMBER);
    expect(await isNotSentTo("sales")).toBeUndefined();
  });

  it("are opted in only where they have opted out", async () => {
    await expect(optInNumber(deps, { account: "acme" }, NUMBER)).rejects.toThrow(
      `${NUMBER} has not opted out of account "acme"`,
    );
    await expect(
      optInNumber(deps, { account: "acme", subAccount: "sales" }, NUMBER),
    ).rejects.toThrow(/not opted out of sub-account "sales"/);
  });

  it("are none of a sub-account that there is not", async () => {
    const owner = { account: "acme", subAccount: "nowhere" };
    await expect(optOutNumber(deps, owner, NUMBER)).rejects.toThrow(/no sub-account "nowhere"/);
    expect(await listOptedOut(deps, "acme")).toEqual([]);
  });
});

const everything = {
  blockNumber: (account: string, number: string) => blockNumber(deps, account, number),
  unblockNumber: (account: string, number: string) => unblockNumber(deps, account, number),
  optOutNumber: (account: string, number: string) => optOutNumber(deps, { account }, number),
  optInNumber: (account: string, number: string) => optInNumber(deps, { account }, number),
};

describe.each(Object.entries(everything))("%s", (_, run) => {
  it("says what is no mobile number, and which account there is not", async () => {
    await expect(run("acme", "1234")).rejects.toThrow('"1234" is not a mobile number');
    await expect(run("nobody", NUMBER)).rejects.toThrow(/no account "nobody"/);
  });
});

it("lists nothing of an account that there is not", async () => {
  await expect(listBlocked(deps, "nobody")).rejects.toThrow(/no account/);
  await expect(listOptedOut(deps, "nobody")).rejects.toThrow(/no account/);
});
