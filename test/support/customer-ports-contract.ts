import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import type { Flow } from "../../functions/core/content.ts";
import type { Contents, SubAccounts, Users } from "../../functions/core/customer-ports.ts";
import type { SubAccount } from "../../functions/core/sub-account.ts";
import type { User } from "../../functions/core/user.ts";
import {
  sampleCampaign,
  sampleFlow,
  sampleSubAccount,
  sampleTemplate,
  sampleUser,
} from "./customer-samples.ts";

/** In whatever order they come. */
function expectSame(found: readonly unknown[], expected: readonly unknown[]) {
  expect(found).toEqual(expect.arrayContaining([...expected]));
  expect(found).toHaveLength(expected.length);
}

const countTrue = (answers: readonly boolean[]) => answers.filter(Boolean).length;

/** What `Users` do; those in memory and those in DynamoDB are held to the same. */
export function describeUsers(name: string, createUsers: () => Users): void {
  describe(name, () => {
    let users: Users;
    let account: string;
    let domain: string;
    let user: User;
    /** A login that no other test uses; good for a user name and for an e-mail address. */
    const own = (login: string) => `${login}@${domain}`;

    beforeEach(() => {
      users = createUsers();
      account = `c-${randomUUID()}`;
      domain = `${randomUUID()}.example`;
      user = sampleUser({ account, username: own("Ana"), email: own("Ana.Souza") });
    });

    /** Another user of an account of its own. */
    const stranger = (overrides: Partial<User> = {}) =>
      sampleUser({
        account: `${account}-2`,
        username: own("Bia"),
        email: own("Bia.Lima"),
        ...overrides,
      });

    it("gives a user back as it came, by name and by e-mail address, in any case of letters", async () => {
      const regular: User = {
        ...user,
        role: "regular",
        subAccount: "Vendas São Paulo",
        state: "disabled",
        timeZone: "America/Manaus",
        country: "BR",
        tokens: [
          { hash: "one", createdAt: 1 },
          { hash: "two", createdAt: 2, validUntil: 3 },
        ],
        createdAt: 4,
        revision: 5,
      };
      expect(await users.insertUser(regular)).toBe(true);
      expect(await users.findUser(account, user.username)).toEqual(regular);
      expect(await users.findUser(account, user.username.toUpperCase())).toEqual(regular);
      for (const login of [user.username, ` ${user.username.toUpperCase()} `, user.email ?? ""]) {
        expect(await users.findByLogin(login)).toEqual(regular);
      }
      expect(await users.findByLogin(user.email?.toUpperCase() ?? "")).toEqual(regular);
      expect(await users.listUsers(account)).toEqual([regular]);
    });

    it("has nobody under logins that are nobody's, whatever they look like", async () => {
      await users.insertUser(user);
      for (const login of ["", " ", own("Carla"), account, "#", "x".repeat(5_000)]) {
        expect(await users.findByLogin(login)).toBeUndefined();
        expect(await users.findUser(account, login)).toBeUndefined();
      }
      expect(await users.findUser(`${account}-2`, user.username)).toBeUndefined();
      expect(await users.findUser(account, user.email ?? "")).toBeUndefined();
    });

    it("takes users without an e-mail address, or with one that is their name", async () => {
      const { email: _, ...without } = user;
      const same = stranger({ username: own("x"), email: own("X") });
      expect(await users.insertUser(without)).toBe(true);
      expect(await users.insertUser(same)).toBe(true);
      expect(await users.findByLogin(without.username)).toEqual(without);
      expect(await users.findByLogin(same.username)).toEqual(same);
      expect(await users.removeUser(same.account, same.username)).toBe(true);
      expect(await users.insertUser(same)).toBe(true);
    });

    it.each<[string, (taken: User) => Partial<User>]>([
      ["name", ({ username }) => ({ username: username.toUpperCase() })],
      ["e-mail address", ({ email }) => ({ email: email?.toUpperCase() })],
      ["name as its e-mail address", ({ username }) => ({ email: username })],
      ["e-mail address as its name", ({ email }) => ({ username: email ?? "" })],
    ])("refuses a second user with somebody's %s, of whatever account", async (_, taking) => {
      await users.insertUser(user);
      for (const of of [account, `${account}-2`]) {
        const second = stranger({ account: of, ...taking(user) });
        expect(await users.insertUser(second)).toBe(false);
        expect(await users.listUsers(of)).toEqual(of === account ? [user] : []);
        if (second.email !== user.email?.toUpperCase()) {
          expect(await users.findByLogin(own("Bia.Lima"))).toBeUndefined();
        }
      }
      expect(await users.findByLogin(user.username)).toEqual(user);
      expect(await users.findByLogin(user.email ?? "")).toEqual(user);
      expect(await users.findByLogin(own("Bia"))).toBeUndefined();
    });

    it("lets one of many have a login that all want at the same time", async () => {
      const rivals = Array.from({ length: 6 }, (_, n) =>
        n % 2 === 0
          ? stranger({ account: `${account}-${n}`, username: own("Bia"), email: undefined })
          : stranger({ account: `${account}-${n}`, username: own(`n${n}`), email: own("bia") }),
      );
      const answers = await Promise.all(rivals.map((rival) => users.insertUser(rival)));
      expect(countTrue(answers)).toBe(1);
      const [winner] = rivals.filter((_, n) => answers[n]);
      expect(await users.findByLogin(own("bia"))).toEqual(winner);
      const lists = await Promise.all(rivals.map((rival) => users.listUsers(rival.account)));
      expect(lists.flat()).toEqual([winner]);
    });

    it("changes a user, by name and by e-mail address", async () => {
      await users.insertUser(user);
      const changed: User = { ...user, state: "disabled", revision: 1 };
      expect(await users.updateUser(user, changed)).toBe(true);
      expect(await users.findUser(account, user.username)).toEqual(changed);
      expect(await users.findByLogin(user.email ?? "")).toEqual(changed);
      expect(await users.findByLogin(user.username)).toEqual(changed);
    });

    it("refuses a change of what somebody else has changed since, or removed, or replaced", async () => {
      await users.insertUser(user);
      const first: User = { ...user, state: "disabled", revision: 1 };
      const second: User = { ...user, email: own("new"), revision: 1 };
      expect(await users.updateUser(user, first)).toBe(true);
      expect(await users.updateUser(user, second)).toBe(false);
      expect(await users.findUser(account, user.username)).toEqual(first);
      expect(await users.findByLogin(own("new"))).toBeUndefined();
      await users.removeUser(account, user.username);
      expect(await users.updateUser(first, { ...second, revision: 2 })).toBe(false);
      expect(await users.findUser(account, user.username)).toBeUndefined();
      const replaced = { ...user, createdAt: 7 };
      await users.insertUser(replaced);
      expect(await users.updateUser(user, second)).toBe(false);
      expect(await users.findUser(account, user.username)).toEqual(replaced);
    });

    it("lets one of many change a user at the same time", async () => {
      await users.insertUser(user);
      const changes = Array.from({ length: 6 }, (_, n) => ({
        ...user,
        email: own(`e${n}`),
        revision: 1,
      }));
      const answers = await Promise.all(changes.map((changed) => users.updateUser(user, changed)));
      expect(countTrue(answers)).toBe(1);
      const [winner] = changes.filter((_, n) => answers[n]);
      expect(await users.findUser(account, user.username)).toEqual(winner);
      const owners = await Promise.all(changes.map(({ email }) => users.findByLogin(email)));
      expect(owners.filter((owner) => owner)).toEqual([winner]);
    });

    it("moves a user to another e-mail address, takes it away, and gives it one", async () => {
      await users.insertUser(user);
      const moved: User = { ...user, email: own("moved"), revision: 1 };
      expect(await users.updateUser(user, moved)).toBe(true);
      expect(await users.findByLogin(own("MOVED"))).toEqual(moved);
      expect(await users.findByLogin(user.email ?? "")).toBeUndefined();
      const { email: _, ...bare } = { ...moved, revision: 2 };
      expect(await users.updateUser(moved, bare)).toBe(true);
      expect(await users.findByLogin(own("moved"))).toBeUndefined();
      expect(await users.findByLogin(user.username)).toEqual(bare);
      const again: User = { ...bare, email: user.username, revision: 3 };
      expect(await users.updateUser(bare, again)).toBe(true);
      const last: User = { ...bare, email: own("last"), revision: 4 };
      expect(await users.updateUser(again, last)).toBe(true);
      expect(await users.findByLogin(user.username)).toEqual(last);
      expect(await users.findByLogin(own("last"))).toEqual(last);
      // What was given up is free.
      expect(await users.insertUser(stranger({ email: own("moved") }))).toBe(true);
    });

    it("refuses an e-mail address that is another user's name or address", async () => {
      await users.insertUser(user);
      const other = stranger();
      await users.insertUser(other);
      for (const email of [other.email, other.username]) {
        expect(await users.updateUser(user, { ...user, email, revision: 1 })).toBe(false);
      }
      expect(await users.findUser(account, user.username)).toEqual(user);
      expect(await users.findByLogin(user.email ?? "")).toEqual(user);
      expect(await users.findByLogin(other.email ?? "")).toEqual(other);
    });

    it("removes a user and its logins, once", async () => {
      await users.insertUser(user);
      expect(await users.removeUser(`${account}-2`, user.username)).toBe(false);
      expect(await users.removeUser(account, user.username.toUpperCase())).toBe(true);
      expect(await users.removeUser(account, user.username)).toBe(false);
      for (const login of [user.username, user.email ?? ""]) {
        expect(await users.findByLogin(login)).toBeUndefined();
      }
      expect(await users.listUsers(account)).toEqual([]);
      const next = stranger({ username: user.username, email: user.email });
      expect(await users.insertUser(next)).toBe(true);
      expect(await users.findByLogin(user.email ?? "")).toEqual(next);
    });

    it("lists an account's users and nobody else's", async () => {
      const many = Array.from({ length: 5 }, (_, n) =>
        stranger({ account, username: own(`u${n}`), email: undefined }),
      );
      await Promise.all([...many, stranger()].map((each) => users.insertUser(each)));
      expectSame(await users.listUsers(account), many);
    });
  });
}

/** What `SubAccounts` do; those in memory and those in DynamoDB are held to the same. */
export function describeSubAccounts(name: string, createSubAccounts: () => SubAccounts): void {
  describe(name, () => {
    let subAccounts: SubAccounts;
    let account: string;
    let sales: SubAccount;

    beforeEach(() => {
      subAccounts = createSubAccounts();
      account = `c-${randomUUID()}`;
      sales = sampleSubAccount({ account });
    });

    it("gives a sub-account back as it came", async () => {
      const full = sampleSubAccount({
        account,
        subAccount: "Cobrança 2 @ São_Paulo",
        limits: { perDay: 0, perMonth: 10, prepaid: true },
        optOut: {
          enabled: false,
          keywords: ["PARE"],
          backKeywords: [],
          confirmation: "",
          backConfirmation: "Olá",
        },
        createdAt: 3,
        revision: 4,
      });
      expect(await subAccounts.insertSubAccount(full)).toBe(true);
      expect(await subAccounts.insertSubAccount(sales)).toBe(true);
      expect(await subAccounts.findSubAccount(account, full.subAccount)).toEqual(full);
      expect(await subAccounts.findSubAccount(account, sales.subAccount)).toEqual(sales);
      expectSame(await subAccounts.listSubAccounts(account), [full, sales]);
    });

    it("has none under another reference, or of another account", async () => {
      await subAccounts.insertSubAccount(sales);
      for (const reference of ["sales", "Sale", "Sales#", "", "x".repeat(5_000)]) {
        expect(await subAccounts.findSubAccount(account, reference)).toBeUndefined();
        expect(await subAccounts.removeSubAccount(account, reference)).toBe(false);
      }
      expect(await subAccounts.findSubAccount(`${account}-2`, "Sales")).toBeUndefined();
      expect(await subAccounts.removeSubAccount(`${account}-2`, "Sales")).toBe(false);
      expect(await subAccounts.listSubAccounts(`${account}-2`)).toEqual([]);
    });

    it("is there once in an account", async () => {
      expect(await subAccounts.insertSubAccount(sales)).toBe(true);
      expect(await subAccounts.insertSubAccount({ ...sales, createdAt: 1 })).toBe(false);
      expect(await subAccounts.insertSubAccount({ ...sales, account: `${account}-2` })).toBe(true);
      expect(await subAccounts.findSubAccount(account, "Sales")).toEqual(sales);
    });

    it("lets one of many change it at the same time", async () => {
      await subAccounts.insertSubAccount(sales);
      const changes = Array.from({ length: 6 }, (_, n) => ({
        ...sales,
        limits: { perDay: n, prepaid: false },
        revision: 1,
      }));
      const answers = await Promise.all(
        changes.map((changed) => subAccounts.updateSubAccount(sales, changed)),
      );
      expect(countTrue(answers)).toBe(1);
      const [winner] = changes.filter((_, n) => answers[n]);
      expect(await subAccounts.findSubAccount(account, "Sales")).toEqual(winner);
    });

    it("refuses a change of what was removed, or replaced, since", async () => {
      const changed = { ...sales, revision: 1 };
      expect(await subAccounts.updateSubAccount(sales, changed)).toBe(false);
      await subAccounts.insertSubAccount(sales);
      expect(await subAccounts.removeSubAccount(account, "Sales")).toBe(true);
      expect(await subAccounts.removeSubAccount(account, "Sales")).toBe(false);
      expect(await subAccounts.updateSubAccount(sales, changed)).toBe(false);
      const replaced = { ...sales, createdAt: 1 };
      await subAccounts.insertSubAccount(replaced);
      expect(await subAccounts.updateSubAccount(sales, changed)).toBe(false);
      expect(await subAccounts.findSubAccount(account, "Sales")).toEqual(replaced);
    });
  });
}

/** What `Contents` do; those in memory and those in DynamoDB are held to the same. */
export function describeContents(name: string, createContents: () => Contents): void {
  describe(name, () => {
    let contents: Contents;
    let account: string;

    beforeEach(() => {
      contents = createContents();
      account = `c-${randomUUID()}`;
    });

    it("keeps templates by their numbers", async () => {
      const numbers = [0, 2, 10, 9, Number.MAX_SAFE_INTEGER];
      const templates = numbers.map((templateId) => sampleTemplate({ account, templateId }));
      const special = sampleTemplate({ account, templateId: 3, subAccount: "Sales", name: "😀" });
      for (const template of [...templates, special]) {
        expect(await contents.insertTemplate(template)).toBe(true);
      }
      for (const template of [...templates, special]) {
        expect(await contents.findTemplate(account, template.templateId)).toEqual(template);
      }
      expectSame(await contents.listTemplates(account), [...templates, special]);
      for (const other of [1, 99, 100, -1, 2.5]) {
        expect(await contents.findTemplate(account, other)).toBeUndefined();
      }
    });

    it("replaces and removes templates", async () => {
      const template = sampleTemplate({ account });
      expect(await contents.insertTemplate(template)).toBe(true);
      expect(await contents.insertTemplate({ ...template, text: "taken" })).toBe(false);
      expect(await contents.findTemplate(account, 1)).toEqual(template);
      expect(await contents.replaceTemplate({ ...template, text: "another" })).toBe(true);
      expect(await contents.listTemplates(account)).toEqual([{ ...template, text: "another" }]);
      expect(await contents.removeTemplate(account, 2)).toBe(false);
      expect(await contents.removeTemplate(account, 1)).toBe(true);
      expect(await contents.removeTemplate(account, 1)).toBe(false);
      expect(await contents.findTemplate(account, 1)).toBeUndefined();
    });

    it("replaces only what is there, and is not another of the same name", async () => {
      const template = sampleTemplate({ account });
      const flow = sampleFlow({ account });
      expect(await contents.replaceTemplate(template)).toBe(false);
      expect(await contents.replaceFlow(flow)).toBe(false);
      await contents.insertTemplate({ ...template, createdAt: template.createdAt + 1 });
      await contents.insertFlow({ ...flow, createdAt: flow.createdAt + 1 });
      expect(await contents.replaceTemplate(template)).toBe(false);
      expect(await contents.replaceFlow(flow)).toBe(false);
      expect(await contents.listTemplates(account)).toMatchObject([
        { createdAt: template.createdAt + 1 },
      ]);
      expect(await contents.listFlows(account)).toMatchObject([{ createdAt: flow.createdAt + 1 }]);
    });

    it("keeps, replaces and removes flows by their ids", async () => {
      const [one, other] = ["a", "A"].map((flowId) => sampleFlow({ account, flowId }));
      for (const flow of [one, other] as Flow[]) {
        expect(await contents.insertFlow(flow)).toBe(true);
      }
      expect(await contents.findFlow(account, "a")).toEqual(one);
      expect(await contents.findFlow(account, "A")).toEqual(other);
      expect(await contents.insertFlow({ ...(one as Flow), text: "taken" })).toBe(false);
      expect(await contents.replaceFlow({ ...(one as Flow), text: "another" })).toBe(true);
      expect(await contents.findFlow(account, "a")).toMatchObject({ text: "another" });
      expect(await contents.listFlows(account)).toHaveLength(2);
      expect(await contents.removeFlow(account, "a")).toBe(true);
      expect(await contents.removeFlow(account, "a")).toBe(false);
      expect(await contents.listFlows(account)).toEqual([other]);
      expect(await contents.findFlow(account, "x".repeat(5_000))).toBeUndefined();
    });

    it("keeps campaigns by their aliases, each of which is there once", async () => {
      const campaign = sampleCampaign({ account });
      expect(await contents.insertCampaign(campaign)).toBe(true);
      expect(await contents.insertCampaign({ ...campaign, campaignId: 2 })).toBe(false);
      expect(await contents.insertCampaign({ ...campaign, campaignId: 3, alias: "b" })).toBe(true);
      expect(await contents.findCampaign(account, campaign.alias)).toEqual(campaign);
      expect(await contents.findCampaign(account, campaign.alias.toUpperCase())).toBeUndefined();
      expect(await contents.findCampaign(account, "x".repeat(5_000))).toBeUndefined();
      expect(await contents.listCampaigns(account)).toHaveLength(2);
      expect(await contents.removeCampaign(account, campaign.alias)).toBe(true);
      expect(await contents.removeCampaign(account, campaign.alias)).toBe(false);
      expect(await contents.listCampaigns(account)).toMatchObject([{ alias: "b" }]);
    });

    it("shows an account's contents to no other, and none of one kind for one of another", async () => {
      await contents.insertTemplate(sampleTemplate({ account }));
      await contents.insertFlow(sampleFlow({ account, flowId: "1" }));
      await contents.insertCampaign(sampleCampaign({ account, alias: "1" }));
      await contents.nextNumber(account, "campaign");
      expect(await contents.listTemplates(account)).toHaveLength(1);
      expect(await contents.listFlows(account)).toHaveLength(1);
      expect(await contents.listCampaigns(account)).toHaveLength(1);
      const other = `${account}-2`;
      expect(await contents.listTemplates(other)).toEqual([]);
      expect(await contents.listFlows(other)).toEqual([]);
      expect(await contents.listCampaigns(other)).toEqual([]);
      expect(await contents.findTemplate(other, 1)).toBeUndefined();
      expect(await contents.removeFlow(other, "1")).toBe(false);
      expect(await contents.removeCampaign(other, "1")).toBe(false);
    });

    it("numbers templates and campaigns, each kind and each account by itself, each number once", async () => {
      expect(await contents.nextNumber(account, "template")).toBe(1);
      expect(await contents.nextNumber(account, "template")).toBe(2);
      expect(await contents.nextNumber(account, "campaign")).toBe(1);
      expect(await contents.nextNumber(`${account}-2`, "template")).toBe(1);
      const numbers = await Promise.all(
        Array.from({ length: 20 }, () => contents.nextNumber(account, "campaign")),
      );
      expect(numbers.sort((one, other) => one - other)).toEqual(
        Array.from({ length: 20 }, (_, n) => n + 2),
      );
    });
  });
}
