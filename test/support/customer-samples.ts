import type { OptOutWord } from "../../functions/core/blocked-number.ts";
import type { Campaign, Flow, Template } from "../../functions/core/content.ts";
import type { SubAccount } from "../../functions/core/sub-account.ts";
import type { User } from "../../functions/core/user.ts";

/** An active administrator of `acme`. */
export function sampleUser(overrides: Partial<User> = {}): User {
  return {
    version: 1,
    account: "acme",
    username: "Ana.Souza",
    email: "Ana@acme.example",
    role: "admin",
    state: "active",
    tokens: [{ hash: "a-hash", createdAt: 0 }],
    createdAt: 0,
    revision: 0,
    ...overrides,
  };
}

/** A sub-account without limits. */
export function sampleSubAccount(overrides: Partial<SubAccount> = {}): SubAccount {
  return {
    version: 1,
    account: "acme",
    subAccount: "Sales",
    limits: { prepaid: false },
    createdAt: 0,
    revision: 0,
    ...overrides,
  };
}

/** A template that all users may use. */
export function sampleTemplate(overrides: Partial<Template> = {}): Template {
  return {
    version: 1,
    account: "acme",
    templateId: 1,
    name: "Greeting",
    text: "Olá, {{name}}",
    createdAt: 0,
    ...overrides,
  };
}

/** A flow. */
export function sampleFlow(overrides: Partial<Flow> = {}): Flow {
  return {
    version: 1,
    account: "acme",
    flowId: "flow-1",
    text: "Olá, {{name}}",
    createdAt: 0,
    ...overrides,
  };
}

/** A campaign. */
export function sampleCampaign(overrides: Partial<Campaign> = {}): Campaign {
  return {
    version: 1,
    account: "acme",
    campaignId: 1,
    alias: "Black Friday – ofertas",
    createdAt: 0,
    ...overrides,
  };
}

/** What a person said about the whole of an account. */
export function sampleWord(at: number, overrides: Partial<OptOutWord> = {}): OptOutWord {
  return { account: "acme", number: "5519900001111", at, origin: `said at ${at}`, ...overrides };
}
