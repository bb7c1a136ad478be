import { isDeepStrictEqual } from "node:util";
import type {
  BlockedNumber,
  BlockedNumbers,
  BlockReason,
  OptOutWord,
} from "../../functions/core/blocked-number.ts";
import type { Campaign, Flow, Template } from "../../functions/core/content.ts";
import type { Contents, SubAccounts, Users } from "../../functions/core/customer-ports.ts";
import {
  NOTHING_USED,
  roomIn,
  type Usage,
  type UsageCounters,
  type UsageOwner,
  type UsageRequest,
  usageOn,
} from "../../functions/core/limits.ts";
import {
  hasOptedOut,
  hear,
  type OptOutHistory,
  type OptOutWish,
  optOutsOf,
  silence,
} from "../../functions/core/opt-out-history.ts";
import type { SubAccount } from "../../functions/core/sub-account.ts";
import { loginOf, type User } from "../../functions/core/user.ts";

/** What the items of accounts have in common. */
interface Owned {
  readonly account: string;
}

/** Items of accounts, by account and a name of their own. */
class Shelf<Item extends Owned> {
  readonly #items = new Map<string, Item>();

  find(account: string, name: string) {
    return this.#items.get(`${account}#${name}`);
  }
  put(item: Item, name: string) {
    this.#items.set(`${item.account}#${name}`, item);
  }
  /** @returns false where there is another already */
  insert(item: Item, name: string) {
    const stored = this.find(item.account, name);
    if (stored) return isDeepStrictEqual(stored, item);
    this.put(item, name);
    return true;
  }
  /** @returns false where the one that was created when this one was is gone */
  replaceSame(item: Item & { readonly createdAt: number }, name: string) {
    const stored = this.find(item.account, name) as typeof item | undefined;
    if (stored?.createdAt !== item.createdAt) return false;
    this.put(item, name);
    return true;
  }
  /** @returns false where there was none */
  remove(account: string, name: string) {
    return this.#items.delete(`${account}#${name}`);
  }
  list(account: string) {
    return this.all().filter((item) => item.account === account);
  }
  all() {
    return [...this.#items.values()];
  }
}

/** Whether a stored item is the one that was read. */
const isAsRead = (
  stored: { revision: number; createdAt: number } | undefined,
  read: { revision: number; createdAt: number },
) => stored?.revision === read.revision && stored.createdAt === read.createdAt;

const loginsOf = ({ username, email }: User) =>
  [username, ...(email === undefined ? [] : [email])].map(loginOf);

/** Users in memory, by the contract of the port. */
export class MemoryUsers implements Users {
  readonly #users = new Shelf<User>();

  #owner(login: string) {
    return this.#users.all().find((user) => loginsOf(user).includes(loginOf(login)));
  }

  #isFree(login: string, forWhom: User) {
    const owner = this.#owner(login);
    return (
      !owner ||
      (owner.account === forWhom.account && loginOf(owner.username) === loginOf(forWhom.username))
    );
  }

  async findByLogin(login: string) {
    return this.#owner(login);
  }
  async findUser(account: string, username: string) {
    return this.#users.find(account, loginOf(username));
  }
  async insertUser(user: User) {
    if (!loginsOf(user).every((login) => this.#isFree(login, user))) return false;
    return this.#users.insert(user, loginOf(user.username));
  }
  async updateUser(read: User, changed: User) {
    const name = loginOf(changed.username);
    if (!isAsRead(this.#users.find(changed.account, name), read)) return false;
    if (!loginsOf(changed).every((login) => this.#isFree(login, changed))) return false;
    this.#users.put(changed, name);
    return true;
  }
  async removeUser(account: string, username: string) {
    return this.#users.remove(account, loginOf(username));
  }
  async listUsers(account: string) {
    return this.#users.list(account);
  }
}

/** Sub-accounts in memory, by the contract of the port. */
export class MemorySubAccounts implements SubAccounts {
  readonly #subAccounts = new Shelf<SubAccount>();

  async findSubAccount(account: string, subAccount: string) {
    return this.#subAccounts.find(account, subAccount);
  }
  async insertSubAccount(subAccount: SubAccount) {
    return this.#subAccounts.insert(subAccount, subAccount.subAccount);
  }
  async updateSubAccount(read: SubAccount, changed: SubAccount) {
    const stored = this.#subAccounts.find(changed.account, changed.subAccount);
    if (!isAsRead(stored, read)) return false;
    this.#subAccounts.put(changed, changed.subAccount);
    return true;
  }
  async removeSubAccount(account: string, subAccount: string) {
    return this.#subAccounts.remove(account, subAccount);
  }
  async listSubAccounts(account: string) {
    return this.#subAccounts.list(account);
  }
}

/** Texts and campaigns in memory, by the contract of the port. */
export class MemoryContents implements Contents {
  readonly #templates = new Shelf<Template>();
  readonly #flows = new Shelf<Flow>();
  readonly #campaigns = new Shelf<Campaign>();
  readonly #numbers = new Map<string, number>();

  async findTemplate(account: string, templateId: number) {
    return this.#templates.find(account, String(templateId));
  }
  async listTemplates(account: string) {
    return this.#templates.list(account);
  }
  async insertTemplate(template: Template) {
    return this.#templates.insert(template, String(template.templateId));
  }
  async replaceTemplate(template: Template) {
    return this.#templates.replaceSame(template, String(template.templateId));
  }
  /** For tests to begin with. */
  async putTemplate(template: Template) {
    this.#templates.put(template, String(template.templateId));
  }
  async removeTemplate(account: string, templateId: number) {
    return this.#templates.remove(account, String(templateId));
  }
  async findFlow(account: string, flowId: string) {
    return this.#flows.find(account, flowId);
  }
  async listFlows(account: string) {
    return this.#flows.list(account);
  }
  async insertFlow(flow: Flow) {
    return this.#flows.insert(flow, flow.flowId);
  }
  async replaceFlow(flow: Flow) {
    return this.#flows.replaceSame(flow, flow.flowId);
  }
  /** For tests to begin with. */
  async putFlow(flow: Flow) {
    this.#flows.put(flow, flow.flowId);
  }
  async removeFlow(account: string, flowId: string) {
    return this.#flows.remove(account, flowId);
  }
  async findCampaign(account: string, alias: string) {
    return this.#campaigns.find(account, alias);
  }
  async listCampaigns(account: string) {
    return this.#campaigns.list(account);
  }
  async insertCampaign(campaign: Campaign) {
    return this.#campaigns.insert(campaign, campaign.alias);
  }
  async removeCampaign(account: string, alias: string) {
    return this.#campaigns.remove(account, alias);
  }
  async nextNumber(account: string, of: "template" | "campaign") {
    const next = (this.#numbers.get(`${account}#${of}`) ?? 0) + 1;
    this.#numbers.set(`${account}#${of}`, next);
    return next;
  }
}

/** Numbers that are not sent to, in memory, by the contract of the port. */
export class MemoryBlockedNumbers implements BlockedNumbers {
  readonly #blocked = new Shelf<BlockedNumber>();
  readonly #histories = new Shelf<OptOutHistory>();

  #historyOf(account: string, number: string) {
    return this.#histories.find(account, number) ?? silence(account, number);
  }

  #hear(wish: OptOutWish, word: OptOutWord) {
    const { history, counts } = hear(this.#historyOf(word.account, word.number), wish, word);
    this.#histories.put(history, word.number);
    return counts;
  }

  async findBlocked(account: string, subAccount: string | undefined, numbers: readonly string[]) {
    const found = new Map<string, BlockReason>();
    for (const number of numbers) {
      const optedOut = hasOptedOut(this.#historyOf(account, number), subAccount);
      if (this.#blocked.find(account, number)) found.set(number, "block-list");
      else if (optedOut) found.set(number, "opt-out");
    }
    return found;
  }
  async block(blocked: BlockedNumber) {
    return this.#blocked.insert(blocked, blocked.number);
  }
  async unblock(account: string, number: string) {
    return this.#blocked.remove(account, number);
  }
  async listBlocked(account: string) {
    return this.#blocked.list(account);
  }
  async optOut(word: OptOutWord) {
    return this.#hear("out", word);
  }
  async optIn(word: OptOutWord) {
    return this.#hear("in", word);
  }
  async listOptedOut(account: string) {
    return this.#histories.list(account).flatMap(optOutsOf);
  }
}

/** Counters of what was sent, in memory, by the contract of the port. */
export class MemoryUsageCounters implements UsageCounters {
  readonly #usage = new Map<string, Usage>();
  readonly #counted = new Set<string>();

  #nameOf({ account, subAccount }: UsageOwner) {
    return subAccount === undefined ? account : `${account}#${subAccount}`;
  }

  #usageOf(owner: UsageOwner) {
    return this.#usage.get(this.#nameOf(owner)) ?? NOTHING_USED;
  }

  /** Unless it was done before under this name. */
  #once(owner: UsageOwner, token: string, change: (usage: Usage) => Usage) {
    const name = this.#nameOf(owner);
    if (this.#counted.has(`${name} ${token}`)) return;
    this.#counted.add(`${name} ${token}`);
    this.#usage.set(name, change(this.#usageOf(owner)));
  }

  async take({ owner, limits, day, month, parts, token }: UsageRequest) {
    if (this.#counted.has(`${this.#nameOf(owner)} ${token}`)) return { taken: true as const };
    const usage = usageOn(this.#usageOf(owner), { day, month });
    const left = roomIn(limits, usage);
    if (parts > left) return { taken: false as const, left: Math.max(0, left) };
    this.#once(owner, token, () => ({
      ...usage,
      usedToday: usage.usedToday + parts,
      usedThisMonth: usage.usedThisMonth + parts,
      credit: limits.prepaid ? usage.credit - parts : usage.credit,
    }));
    return { taken: true as const };
  }

  async giveBack({ owner, limits, day, month, parts, token }: UsageRequest) {
    if (!this.#usage.has(this.#nameOf(owner))) return;
    const less = (used: number) => Math.max(0, used - parts);
    this.#once(owner, `${token}-back`, (usage) => ({
      ...usage,
      usedToday: usage.day === day ? less(usage.usedToday) : usage.usedToday,
      usedThisMonth: usage.month === month ? less(usage.usedThisMonth) : usage.usedThisMonth,
      credit: limits.prepaid ? usage.credit + parts : usage.credit,
    }));
  }

  async read(owner: UsageOwner) {
    return this.#usage.get(this.#nameOf(owner));
  }

  async addCredit(owner: UsageOwner, parts: number, token: string) {
    this.#once(owner, token, (usage) => ({ ...usage, credit: usage.credit + parts }));
    return this.#usageOf(owner).credit;
  }
}
