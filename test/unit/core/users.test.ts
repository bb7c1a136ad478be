import { beforeEach, describe, expect, it } from "vitest";
import { InvalidRequestError } from "../../../functions/core/accounts.ts";
import { matchesCredential } from "../../../functions/core/passwords.ts";
import { createSubAccount } from "../../../functions/core/sub-accounts.ts";
import {
  changeUser,
  createUser,
  getUser,
  removeUser,
  rotateToken,
} from "../../../functions/core/users.ts";
import { CountingRandomness, ManualClock, MemoryDirectory } from "../../support/memory.ts";
import { MemorySubAccounts, MemoryUsers } from "../../support/memory-customers.ts";
import { sampleAccount } from "../../support/samples.ts";

async function newDependencies() {
  const directory = new MemoryDirectory();
  directory.accounts.set("acme", sampleAccount());
  directory.accounts.set("other", sampleAccount({ account: "other" }));
  const deps = {
    directory,
    subAccounts: new MemorySubAccounts(),
    users: new MemoryUsers(),
    clock: new ManualClock(),
    randomness: new CountingRandomness(),
  };
  await createSubAccount(deps, { account: "acme", subAccount: "sales" });
  await createSubAccount(deps, { account: "acme", subAccount: "support" });
  return deps;
}

describe("users", () => {
  let deps: Awaited<ReturnType<typeof newDependencies>>;
  beforeEach(async () => {
    deps = await newDependencies();
  });

  const createAdmin = (username: string, account = "acme") =>
    createUser(deps, { account, username, role: "admin" });
  const createRegular = (username: string, email?: string) =>
    createUser(deps, { account: "acme", username, email, role: "regular", subAccount: "sales" });
  const isValid = async (username: string, token: string) =>
    matchesCredential(token, (await getUser(deps, "acme", username)).tokens, deps.clock.now());

  it("are created with a token that is stored only as a hash", async () => {
    const { user, token } = await createRegular("ana", "ana@acme.example");
    expect(user).toMatchObject({ role: "regular", subAccount: "sales", state: "active" });
    expect(await isValid("ana", token)).toBe(true);
    expect(JSON.stringify(await deps.users.listUsers("acme"))).not.toContain(token);
    expect((await deps.users.findByLogin("ANA@acme.example"))?.username).toBe("ana");
  });

  it("may have a zone and a country of their own", async () => {
    const { user } = await createUser(deps, {
      account: "acme",
      username: "ana",
      role: "admin",
      timeZone: "America/Manaus",
      country: "pt",
    });
    expect(user).toMatchObject({ timeZone: "America/Manaus", country: "PT" });
  });

  const admin = { account: "acme", username: "ana", role: "admin" as const };
  it.each<[string, Parameters<typeof createUser>[1], RegExp]>([
    ["a colon in the name", { ...admin, username: "a:b" }, /user name has 1 to 64/],
    ["what is no e-mail address", { ...admin, email: "ana" }, /^email: /],
    ["an unknown zone", { ...admin, timeZone: "Mars/Base" }, /not a time zone/],
    ["an unknown country", { ...admin, country: "XX" }, /not a country code/],
    ["a sub-account as administrator", { ...admin, subAccount: "sales" }, /belongs to a sub-acc/],
    ["no sub-account as regular user", { ...admin, role: "regular" }, /belongs to a sub-account/],
    [
      "a sub-account that there is not",
      { ...admin, role: "regular", subAccount: "nowhere" },
      /no sub-account "nowhere"/,
    ],
    ["an account that there is not", { ...admin, account: "nobody" }, /no account "nobody"/],
  ])("are not created with %s", async (_, request, message) => {
    await expect(createUser(deps, request)).rejects.toThrow(InvalidRequestError);
    await expect(createUser(deps, request)).rejects.toThrow(message);
    expect(await deps.users.listUsers("acme")).toEqual([]);
  });

  it("share no user name or e-mail address with anybody, whoever's that is", async () => {
    await createRegular("ana", "ana@acme.example");
    await expect(createAdmin("ANA", "other")).rejects.toThrow(/^"ANA" is a user name or e-mail/);
    await expect(createAdmin("ana@acme.example", "other")).rejects.toThrow(/^"ana@acme\.example"/);
    await expect(createRegular("bia", "Ana@ACME.example")).rejects.toThrow(
      /^"Ana@ACME\.example" is/,
    );
    await createRegular("bia", "bia@acme.example");
    await expect(changeUser(deps, "acme", "bia", { email: "ana@acme.example" })).rejects.toThrow(
      /^"ana@acme\.example" is/,
    );
  });

  it("change in what is asked", async () => {
    await createRegular("ana", "ana@acme.example");
    await changeUser(deps, "acme", "ana", { subAccount: "support", timeZone: "UTC" });
    const changed = await changeUser(deps, "acme", "ana", { email: null, state: "disabled" });
    expect(changed).toMatchObject({
      role: "regular",
      subAccount: "support",
      timeZone: "UTC",
      state: "disabled",
      revision: 2,
    });
    expect(changed.email).toBeUndefined();
    expect(await getUser(deps, "acme", "ana")).toEqual(changed);
    expect(await deps.users.findByLogin("ana@acme.example")).toBeUndefined();
  });

  it("leave their sub-account as administrators, and need one to be regular", async () => {
    await createRegular("ana");
    const promoted = await changeUser(deps, "acme", "ana", { role: "admin" });
    expect(promoted.subAccount).toBeUndefined();
    await expect(changeUser(deps, "acme", "ana", { role: "regular" })).rejects.toThrow(
      /belongs to a sub-account/,
    );
    await expect(
      changeUser(deps, "acme", "ana", { role: "regular", subAccount: "nowhere" }),
    ).rejects.toThrow(/no sub-account "nowhere"/);
    const demoted = await changeUser(deps, "acme", "ana", {
      role: "regular",
      subAccount: "sales",
    });
    expect(demoted).toMatchObject({ role: "regular", subAccount: "sales" });
  });

  it.each([
    ["a zone", { timeZone: "Mars/Base" }, /not a time zone/],
    ["a country", { country: "XX" }, /not a country code/],
    ["an e-mail address", { email: "ana" }, /^email: /],
  ])("are not changed to %s that is none", async (_, changes, message) => {
    const { user } = await createRegular("ana");
    await expect(changeUser(deps, "acme", "ana", changes)).rejects.toThrow(message);
    expect(await getUser(deps, "acme", "ana")).toEqual(user);
  });

  it("are not changed by two at the same time", async () => {
    await createRegular("ana");
    const results = await Promise.allSettled([
      changeUser(deps, "acme", "ana", { state: "disabled" }),
      rotateToken(deps, "acme", "ana", 0),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(results.find(({ status }) => status === "rejected")).toMatchObject({
      reason: { message: 'user "ana" is being changed by somebody else; try again' },
    });
  });

  it("get a new token, the old one ending at once or after the overlap", async () => {
    const { token: first } = await createRegular("ana");
    const { token: second } = await rotateToken(deps, "acme", "ana", 10);
    expect([await isValid("ana", first), await isValid("ana", second)]).toEqual([true, true]);
    deps.clock.advance(10 * 60_000);
    expect([await isValid("ana", first), await isValid("ana", second)]).toEqual([false, true]);
    await rotateToken(deps, "acme", "ana", 0);
    expect(await isValid("ana", second)).toBe(false);
  });

  it("are removed", async () => {
    await createAdmin("ana");
    await removeUser(deps, "acme", "ana");
    await expect(removeUser(deps, "acme", "ana")).rejects.toThrow(
      'account "acme" has no user "ana"',
    );
    await createAdmin("ana", "other");
    await expect(removeUser(deps, "acme", "ana")).rejects.toThrow(/no user/);
  });

  describe("of whom one must stay administrator", () => {
    const keepAnAdmin = true;
    const takeAway = {
      remove: () => removeUser(deps, "acme", "ana", { keepAnAdmin }),
      disable: () => changeUser(deps, "acme", "ana", { state: "disabled" }, { keepAnAdmin }),
      demote: () =>
        changeUser(deps, "acme", "ana", { role: "regular", subAccount: "sales" }, { keepAnAdmin }),
    };
    const ways = Object.entries(takeAway);

    it.each(ways)("do not lose the last one: %s", async (_, way) => {
      await createAdmin("ana");
      await createRegular("bia");
      await createAdmin("carla", "other");
      await createAdmin("dora");
      await changeUser(deps, "acme", "dora", { state: "disabled" });
      await expect(way()).rejects.toThrow(/"ana" is the last active administrator/);
      expect(await getUser(deps, "acme", "ana")).toMatchObject({ role: "admin", state: "active" });
    });

    it.each(ways)("may lose one of two: %s", async (_, way) => {
      await createAdmin("ana");
      await createAdmin("bia");
      await way();
      expect((await getUser(deps, "acme", "bia")).role).toBe("admin");
    });

    it("may lose others, and change the last one otherwise", async () => {
      await createAdmin("ana");
      await createRegular("bia");
      await changeUser(deps, "acme", "ana", { timeZone: "UTC" }, { keepAnAdmin });
      await removeUser(deps, "acme", "bia", { keepAnAdmin });
    });

    it("may lose the last one where nothing keeps them from it", async () => {
      await createAdmin("ana");
      await removeUser(deps, "acme", "ana");
      expect(await deps.users.listUsers("acme")).toEqual([]);
    });
  });
});
