import { beforeEach, describe, expect, it } from "vitest";
import { ensureSandbox } from "../../../bin/local/sandbox-account.ts";
import { setAccountState } from "../../../functions/core/accounts.ts";
import { matchesCredential } from "../../../functions/core/passwords.ts";
import { changeUser, getUser } from "../../../functions/core/users.ts";
import { CountingRandomness, ManualClock, MemoryDirectory } from "../../support/memory.ts";
import { MemoryCarrierAccounts } from "../../support/memory-carriers.ts";
import {
  MemoryBlockedNumbers,
  MemoryContents,
  MemorySubAccounts,
  MemoryUsageCounters,
  MemoryUsers,
} from "../../support/memory-customers.ts";

const newAccess = () => ({
  directory: new MemoryDirectory(),
  users: new MemoryUsers(),
  subAccounts: new MemorySubAccounts(),
  contents: new MemoryContents(),
  blockedNumbers: new MemoryBlockedNumbers(),
  usage: new MemoryUsageCounters(),
  carrierAccounts: new MemoryCarrierAccounts(),
  clock: new ManualClock(),
  randomness: new CountingRandomness(),
});

describe("the sandbox account of local runs", () => {
  let access: ReturnType<typeof newAccess>;
  beforeEach(() => {
    access = newAccess();
  });

  const isToken = async (username: string, token: string) =>
    matchesCredential(
      token,
      (await getUser(access, "sandbox", username)).tokens,
      access.clock.now(),
    );

  it("has a password, a regular user and an administrator", async () => {
    const sandbox = await ensureSandbox(access);
    const { credentials } = access.directory.accounts.get("sandbox") ?? { credentials: [] };
    expect(matchesCredential(sandbox.password, credentials, access.clock.now())).toBe(true);
    expect(await isToken(sandbox.username, sandbox.authenticationToken)).toBe(true);
    expect(await isToken(sandbox.adminUsername, sandbox.adminAuthenticationToken)).toBe(true);
    expect(await getUser(access, "sandbox", sandbox.username)).toMatchObject({
      role: "regular",
      subAccount: "sandbox",
    });
    expect(await getUser(access, "sandbox", sandbox.adminUsername)).toMatchObject({
      role: "admin",
    });
  });

  it("keeps its secrets over restarts", async () => {
    const first = await ensureSandbox(access);
    expect(await ensureSandbox(access, first)).toEqual(first);
  });

  it("gets those that it lacks, as after a run of an earlier version", async () => {
    const { account, password } = await ensureSandbox(access);
    const later = await ensureSandbox(access, { account, password });
    expect(later.password).toBe(password);
    expect(await isToken(later.username, later.authenticationToken)).toBe(true);
    expect(await isToken(later.adminUsername, later.adminAuthenticationToken)).toBe(true);
  });

  it("gets new ones where the known ones are of an account that is gone", async () => {
    const first = await ensureSandbox(access);
    access = newAccess();
    access.randomness.secret();
    const second = await ensureSandbox(access, first);
    expect(second.authenticationToken).not.toBe(first.authenticationToken);
    expect(await isToken(second.username, second.authenticationToken)).toBe(true);
  });

  it("can be used again where it or its users were disabled or changed", async () => {
    const first = await ensureSandbox(access);
    const { username, adminUsername } = first;
    await setAccountState(access, "sandbox", "disabled");
    await changeUser(access, "sandbox", username, { role: "admin" });
    const demotion = { role: "regular", subAccount: "sandbox", state: "disabled" } as const;
    await changeUser(access, "sandbox", adminUsername, demotion);
    expect(await ensureSandbox(access, first)).toEqual(first);
    expect(access.directory.accounts.get("sandbox")?.state).toBe("active");
    expect(await getUser(access, "sandbox", username)).toMatchObject({
      role: "regular",
      subAccount: "sandbox",
    });
    expect(await getUser(access, "sandbox", adminUsername)).toMatchObject({
      role: "admin",
      state: "active",
    });
  });
});
