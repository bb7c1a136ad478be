import { beforeEach, describe, expect, it } from "vitest";
import {
  type Authenticate,
  type AuthenticateUser,
  CREDENTIAL_MEMORY_MS,
  createAuthenticate,
  createAuthenticateUser,
} from "../../../functions/core/authenticate.ts";
import { hashSecret } from "../../../functions/core/passwords.ts";
import { ManualClock, MemoryDirectory } from "../../support/memory.ts";
import { MemorySubAccounts, MemoryUsers } from "../../support/memory-customers.ts";
import { SAMPLE_PASSWORD, sampleAccount } from "../../support/samples.ts";
import { sampleSubAccount, sampleUser } from "./support.ts";

describe("authenticate", () => {
  const clock = new ManualClock();
  let directory: MemoryDirectory;
  let authenticate: Authenticate;

  beforeEach(() => {
    directory = new MemoryDirectory();
    directory.accounts.set("acme", sampleAccount());
    authenticate = createAuthenticate({ directory, clock });
  });

  it("answers the account for its name and password", async () => {
    expect(await authenticate("acme", SAMPLE_PASSWORD)).toEqual(sampleAccount());
  });

  it.each([
    ["a wrong password", "acme", "wrong"],
    ["no password", "acme", ""],
    ["an unknown account", "nobody", SAMPLE_PASSWORD],
  ])("refuses %s", async (_, account, password) => {
    expect(await authenticate(account, password)).toBeUndefined();
  });

  it("refuses a disabled account", async () => {
    directory.accounts.set("acme", sampleAccount({ state: "disabled" }));
    expect(await authenticate("acme", SAMPLE_PASSWORD)).toBeUndefined();
  });

  it("takes two passwords while one is being rotated out, then only the new one", async () => {
    const now = clock.now();
    directory.accounts.set(
      "acme",
      sampleAccount({
        credentials: [
          { hash: hashSecret("new"), createdAt: now },
          { hash: hashSecret("old"), createdAt: 0, validUntil: now + 1 },
        ],
      }),
    );
    expect(await authenticate("acme", "old")).toBeDefined();
    clock.advance(CREDENTIAL_MEMORY_MS + 1);
    expect(await authenticate("acme", "old")).toBeUndefined();
    expect(await authenticate("acme", "new")).toBeDefined();
  });

  it("remembers a verified credential for a minute from its verification, and no longer", async () => {
    await authenticate("acme", SAMPLE_PASSWORD);
    directory.accounts.set("acme", sampleAccount({ state: "disabled" }));
    clock.advance(CREDENTIAL_MEMORY_MS / 2);
    expect(await authenticate("acme", SAMPLE_PASSWORD)).toBeDefined();
    clock.advance(CREDENTIAL_MEMORY_MS / 2 - 1);
    expect(await authenticate("acme", SAMPLE_PASSWORD)).toBeDefined();
    expect(directory.lookUps).toBe(1);
    clock.advance(1);
    expect(await authenticate("acme", SAMPLE_PASSWORD)).toBeUndefined();
  });

  it("remembers no longer because the clock was set back", async () => {
    await authenticate("acme", SAMPLE_PASSWORD);
    directory.accounts.set("acme", sampleAccount({ state: "disabled" }));
    clock.advance(-3_600_000);
    expect(await authenticate("acme", SAMPLE_PASSWORD)).toBeUndefined();
  });

  it("does not ask the directory for what can be no account's name", async () => {
    expect(await authenticate("x".repeat(3_000), SAMPLE_PASSWORD)).toBeUndefined();
    expect(await authenticate("a#b", SAMPLE_PASSWORD)).toBeUndefined();
    expect(directory.lookUps).toBe(0);
  });

  it("does not remember failures", async () => {
    directory.accounts.clear();
    await authenticate("acme", SAMPLE_PASSWORD);
    directory.accounts.set("acme", sampleAccount());
    expect(await authenticate("acme", SAMPLE_PASSWORD)).toBeDefined();
  });

  it("does not let one account in with another's remembered password", async () => {
    directory.accounts.set("other", sampleAccount({ account: "other", credentials: [] }));
    await authenticate("acme", SAMPLE_PASSWORD);
    expect(await authenticate("other", SAMPLE_PASSWORD)).toBeUndefined();
  });
});

describe("authenticating users", () => {
  const TOKEN = "a-token";
  const tokens = [{ hash: hashSecret(TOKEN), createdAt: 0 }];
  const ana = sampleUser({ username: "Ana", email: "Ana.Silva@acme.example", tokens });
  const boss = sampleUser({ username: "boss", role: "admin", subAccount: undefined, tokens });
  const account = sampleAccount();
  const subAccount = sampleSubAccount();
  let clock: ManualClock;
  let directory: MemoryDirectory;
  let users: MemoryUsers;
  let subAccounts: MemorySubAccounts;
  let authenticate: AuthenticateUser;
  let lookUps: string[];

  beforeEach(async () => {
    clock = new ManualClock();
    directory = new MemoryDirectory();
    users = new MemoryUsers();
    subAccounts = new MemorySubAccounts();
    directory.accounts.set("acme", account);
    await subAccounts.insertSubAccount(subAccount);
    for (const user of [ana, boss]) await users.insertUser(user);
    lookUps = [];
    const findByLogin = users.findByLogin.bind(users);
    users.findByLogin = (login) => {
      lookUps.push(login);
      return findByLogin(login);
    };
    authenticate = createAuthenticateUser({ directory, users, subAccounts, clock });
  });

  const change = async (user: typeof ana, changes: Partial<typeof ana>) =>
    expect(await users.updateUser(user, { ...user, ...changes })).toBe(true);

  it.each(["Ana", "ana", "ANA", " ana ", "Ana.Silva@acme.example", "ana.silva@ACME.EXAMPLE"])(
    "answers a user, its account and its sub-account for its token and %j",
    async (login) => {
      expect(await authenticate(login, TOKEN)).toEqual({ account, user: ana, subAccount });
    },
  );

  it("answers an administrator without sub-account", async () => {
    const caller = await authenticate("BOSS", TOKEN);
    expect(caller).toEqual({ account, user: boss });
    expect(caller).not.toHaveProperty("subAccount");
  });

  it.each([
    ["a wrong token", "ana", "wrong"],
    ["no token", "ana", ""],
    ["the token's hash", "ana", hashSecret(TOKEN)],
    ["the account's password", "ana", SAMPLE_PASSWORD],
    ["the account's name", "acme", SAMPLE_PASSWORD],
    ["an unknown user", "nobody", TOKEN],
  ])("refuses %s", async (_, login, token) => {
    expect(await authenticate(login, token)).toBeUndefined();
  });

  it.each([
    ["no login", ""],
    ["spaces", "  "],
    ["a login that is too long", "x".repeat(255)],
  ])("does not ask for %s", async (_, login) => {
    expect(await authenticate(login, TOKEN)).toBeUndefined();
    expect(lookUps).toEqual([]);
  });

  it("refuses a disabled user, those of a disabled account, and those of one that is gone", async () => {
    await change(ana, { state: "disabled" });
    expect(await authenticate("ana", TOKEN)).toBeUndefined();
    expect(await authenticate("boss", TOKEN)).toBeDefined();
    clock.advance(CREDENTIAL_MEMORY_MS);
    directory.accounts.set("acme", sampleAccount({ state: "disabled" }));
    expect(await authenticate("boss", TOKEN)).toBeUndefined();
    directory.accounts.clear();
    expect(await authenticate("boss", TOKEN)).toBeUndefined();
  });

  it("refuses a user whose sub-account is gone, rather than let it see more", async () => {
    await subAccounts.removeSubAccount("acme", "sales");
    expect(await authenticate("ana", TOKEN)).toBeUndefined();
    expect(await authenticate("boss", TOKEN)).toBeDefined();
  });

  it("takes two tokens while one is being rotated out, then only the new one", async () => {
    const now = clock.now();
    await change(ana, {
      tokens: [
        { hash: hashSecret("new"), createdAt: now },
        { ...tokens[0], hash: hashSecret(TOKEN), createdAt: 0, validUntil: now + 1 },
      ],
    });
    expect(await authenticate("ana", TOKEN)).toBeDefined();
    expect(await authenticate("ana", "new")).toBeDefined();
    clock.advance(CREDENTIAL_MEMORY_MS + 1);
    expect(await authenticate("ana", TOKEN)).toBeUndefined();
    expect(await authenticate("ana", "new")).toBeDefined();
  });

  it("remembers a right token for a minute from when it was looked up, and no longer", async () => {
    await authenticate("ana", TOKEN);
    await change(ana, { state: "disabled" });
    clock.advance(CREDENTIAL_MEMORY_MS - 1);
    expect(await authenticate("ana", TOKEN)).toEqual({ account, user: ana, subAccount });
    expect(lookUps).toEqual(["ana"]);
    clock.advance(1);
    expect(await authenticate("ana", TOKEN)).toBeUndefined();
    clock.advance(-CREDENTIAL_MEMORY_MS);
    expect(await authenticate("ana", TOKEN)).toBeUndefined();
  });

  it("remembers no wrong token, and takes a remembered one for no other's", async () => {
    expect(await authenticate("ana", "later")).toBeUndefined();
    await change(ana, { tokens: [{ hash: hashSecret("later"), createdAt: 0 }] });
    expect(await authenticate("ana", "later")).toBeDefined();
    expect(await authenticate("boss", "later")).toBeUndefined();
    // Where login and token meet is not left open.
    expect(await authenticate("an", "alater")).toBeUndefined();
    expect(lookUps).toEqual(["ana", "ana", "boss", "an"]);
  });

  it("throws where the directory does not answer, and remembers nothing of it", async () => {
    const findSubAccount = subAccounts.findSubAccount.bind(subAccounts);
    subAccounts.findSubAccount = () => Promise.reject(new Error("throttled"));
    await expect(authenticate("ana", TOKEN)).rejects.toThrow("throttled");
    subAccounts.findSubAccount = findSubAccount;
    expect(await authenticate("ana", TOKEN)).toBeDefined();
  });
});
