import { loginOf } from "../../core/user.ts";

/**
 * What lies where in the Directory table. Neither an account's name nor a sub-account's has a `#`
 * in it. Numbers and usage have partitions of their own, because each message sent looks at them;
 * carriers, because whoever authenticates them need see nothing else.
 *
 * | partition                  | sort key              | item                                           |
 * |----------------------------|-----------------------|------------------------------------------------|
 * | `ACCOUNT#account`          | `ACCOUNT`             | an account                                     |
 * | `ACCOUNT#account`          | `ENDPOINT#endpointId` | where callbacks go                             |
 * | `ACCOUNT#account`          | `USER#login`          | a user, by the login of the user name          |
 * | `ACCOUNT#account`          | `SUBACCOUNT#name`     | a sub-account                                  |
 * | `ACCOUNT#account`          | `TEMPLATE#number`     | a text with a number, which is padded          |
 * | `ACCOUNT#account`          | `FLOW#flowId`         | a text with an id                              |
 * | `ACCOUNT#account`          | `CAMPAIGN#alias`      | a campaign                                     |
 * | `ACCOUNT#account`          | `COUNTER#of`          | the last number of a template, or a campaign   |
 * | `LOGIN#login`              | `LOGIN`               | whose user name or e-mail address a login is   |
 * | `NUMBER#account#number`    | `BLOCKED`             | that the account blocks a number               |
 * | `NUMBER#account#number`    | `OPTOUT`              | what its person said about opting out          |
 * | `USAGE#account`            | `USAGE`               | what an account has used of its limits         |
 * | `USAGE#account#subAccount` | `USAGE`               | what a sub-account has used of its limits      |
 * | `CARRIER#name`             | `CARRIER`             | a carrier that reports over HTTP               |
 *
 * In the index by kind lie accounts (`ACCOUNT`), carriers (`CARRIER`), and for each account the
 * numbers that it blocks (`BLOCKED#account`) and those whose persons are out of something of it now
 * (`OPTOUT#account`).
 */
export const DIRECTORY_SORT_KEY = {
  account: "ACCOUNT",
  endpoint: "ENDPOINT#",
  user: "USER#",
  subAccount: "SUBACCOUNT#",
  template: "TEMPLATE#",
  flow: "FLOW#",
  campaign: "CAMPAIGN#",
  counter: "COUNTER#",
  login: "LOGIN",
  blocked: "BLOCKED",
  optOut: "OPTOUT",
  usage: "USAGE",
  credit: "CREDIT#",
  carrier: "CARRIER",
} as const;

/** The index that lists the items of one kind; only items with a `kind` are in it. */
export const DIRECTORY_KIND_INDEX = "kind";

/** What lies in the index by kind. */
export const KIND = {
  account: "ACCOUNT",
  carrier: "CARRIER",
  blocked: (account: string) => `BLOCKED#${account}`,
  optOut: (account: string) => `OPTOUT#${account}`,
};

/** Where an item lies. */
export interface DirectoryKey extends Record<string, string> {
  readonly pk: string;
  readonly sk: string;
}

/** The partition of most of what belongs to an account. */
export const accountPartition = (account: string) => `ACCOUNT#${account}`;

/** The key of something in the partition of its account. */
export const keyInAccount = (account: string, sk: string): DirectoryKey => ({
  pk: accountPartition(account),
  sk,
});

/** The key of what says whose a user name or e-mail address is. */
export const loginKey = (login: string): DirectoryKey => ({
  pk: `LOGIN#${loginOf(login)}`,
  sk: DIRECTORY_SORT_KEY.login,
});

/** The key of something that is known of a number to an account. */
export const keyOfNumber = (account: string, number: string, sk: string): DirectoryKey => ({
  pk: `NUMBER#${account}#${number}`,
  sk,
});

/** The key of a carrier that reports over HTTP. */
export const carrierKey = (carrier: string): DirectoryKey => ({
  pk: `CARRIER#${carrier}`,
  sk: DIRECTORY_SORT_KEY.carrier,
});

/** The key of what an account, or one of its sub-accounts, has used. */
export const usageKey = (account: string, subAccount: string | undefined): DirectoryKey => ({
  pk: subAccount === undefined ? `USAGE#${account}` : `USAGE#${account}#${subAccount}`,
  sk: DIRECTORY_SORT_KEY.usage,
});

/** The key of what remembers that something was added to a credit, by the token of the addition. */
export const creditKey = (
  account: string,
  subAccount: string | undefined,
  token: string,
): DirectoryKey => ({
  ...usageKey(account, subAccount),
  sk: `${DIRECTORY_SORT_KEY.credit}${token}`,
});
