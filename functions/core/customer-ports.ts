import type { Campaign, Flow, Template } from "./content.ts";
import type { SubAccount } from "./sub-account.ts";
import type { User } from "./user.ts";

/** The users of all accounts. */
export interface Users {
  /** The user with this user name or e-mail address, in any case of letters; strongly consistent. */
  findByLogin(login: string): Promise<User | undefined>;
  findUser(account: string, username: string): Promise<User | undefined>;
  /** @returns false where the user name or e-mail address is that of another user of whatever account */
  insertUser(user: User): Promise<boolean>;
  /** @returns false where somebody else has changed it since, or the new e-mail address is taken */
  updateUser(read: User, changed: User): Promise<boolean>;
  /** @returns false where there was none */
  removeUser(account: string, username: string): Promise<boolean>;
  listUsers(account: string): Promise<User[]>;
}

/** The sub-accounts. */
export interface SubAccounts {
  findSubAccount(account: string, subAccount: string): Promise<SubAccount | undefined>;
  /** @returns false where the reference is taken */
  insertSubAccount(subAccount: SubAccount): Promise<boolean>;
  /** @returns false where somebody else has changed it since */
  updateSubAccount(read: SubAccount, changed: SubAccount): Promise<boolean>;
  /** @returns false where there was none */
  removeSubAccount(account: string, subAccount: string): Promise<boolean>;
  listSubAccounts(account: string): Promise<SubAccount[]>;
}

/** The texts and campaigns of accounts. */
export interface Contents {
  findTemplate(account: string, templateId: number): Promise<Template | undefined>;
  listTemplates(account: string): Promise<Template[]>;
  /** @returns false where the number is taken */
  insertTemplate(template: Template): Promise<boolean>;
  /** Replaces the template that was created when this one was. @returns false where it is gone */
  replaceTemplate(template: Template): Promise<boolean>;
  removeTemplate(account: string, templateId: number): Promise<boolean>;
  findFlow(account: string, flowId: string): Promise<Flow | undefined>;
  listFlows(account: string): Promise<Flow[]>;
  /** @returns false where the id is taken */
  insertFlow(flow: Flow): Promise<boolean>;
  /** Replaces the flow that was created when this one was. @returns false where it is gone */
  replaceFlow(flow: Flow): Promise<boolean>;
  removeFlow(account: string, flowId: string): Promise<boolean>;
  findCampaign(account: string, alias: string): Promise<Campaign | undefined>;
  listCampaigns(account: string): Promise<Campaign[]>;
  /** @returns false where the alias is taken */
  insertCampaign(campaign: Campaign): Promise<boolean>;
  removeCampaign(account: string, alias: string): Promise<boolean>;
  /** The next number of an account, for a template or a campaign: 1, 2, … */
  nextNumber(account: string, of: "template" | "campaign"): Promise<number>;
}
