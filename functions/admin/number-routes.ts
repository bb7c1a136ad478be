import { getAccount, InvalidRequestError } from "../core/accounts.ts";
import {
  blockNumber,
  listBlocked,
  listOptedOut,
  optInNumber,
  optOutNumber,
  unblockNumber,
} from "../core/block-list.ts";
import { parseMobileNumber } from "../core/numbers.ts";
import { ApiError } from "./errors.ts";
import {
  type AdministrationDependencies,
  defineRoute,
  existing,
  listed,
  type Route,
} from "./route.ts";
import {
  blockedNumberAnswer,
  describeBlocked,
  describeOptedOut,
  listOf,
  numberAnswer,
  ofSubAccount,
  optedOutAnswer,
  optOutWordAnswer,
  page,
} from "./schema.ts";

type Deps = AdministrationDependencies;

/** Takes something of a number back; what is no number, and one of which there is nothing, are told apart. */
async function takingBack(
  { directory }: Deps,
  account: string,
  number: string,
  takeBack: () => Promise<unknown>,
): Promise<void> {
  const { country } = await getAccount(directory, account);
  try {
    await takeBack();
  } catch (error) {
    const isNumber = parseMobileNumber(number, country) !== undefined;
    if (!(error instanceof InvalidRequestError) || !isNumber) throw error;
    throw new ApiError("NOT_FOUND", error.message);
  }
}

async function assertSubAccount({ subAccounts }: Deps, account: string, subAccount?: string) {
  if (subAccount === undefined) return;
  await existing(subAccounts.findSubAccount(account, subAccount), "sub-account");
}

/** The numbers that are not sent to. */
export const NUMBER_ROUTES: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: "/blocked-numbers",
    name: "listBlockedNumbers",
    summary: "Lists the numbers that the account has blocked",
    status: 200,
    query: page,
    answer: listOf("blockedNumbers", blockedNumberAnswer),
    run: async (deps, { account, query }) => {
      const { total, items } = listed(await listBlocked(deps, account), query, describeBlocked);
      return { total, blockedNumbers: items };
    },
  }),
  defineRoute({
    method: "PUT",
    path: "/blocked-numbers/{number}",
    name: "blockNumber",
    summary: "Blocks a number; one that is blocked already stays so",
    status: 200,
    answer: numberAnswer,
    run: async (deps, { account, params }) => {
      const { number } = await blockNumber(deps, account, params.number);
      return { number };
    },
  }),
  defineRoute({
    method: "DELETE",
    path: "/blocked-numbers/{number}",
    name: "unblockNumber",
    summary: "Has a number sent to again",
    status: 204,
    run: (deps, { account, params: { number } }) =>
      takingBack(deps, account, number, () => unblockNumber(deps, account, number)),
  }),
  defineRoute({
    method: "GET",
    path: "/opt-outs",
    name: "listOptOuts",
    summary: "Lists the people who have opted out",
    status: 200,
    query: page.extend(ofSubAccount.shape),
    answer: listOf("optOuts", optedOutAnswer),
    run: async (deps, { account, query }) => {
      const { subAccount } = query;
      await assertSubAccount(deps, account, subAccount);
      const all = await listOptedOut(deps, account);
      const asked =
        subAccount === undefined ? all : all.filter((it) => it.subAccount === subAccount);
      const { total, items } = listed(asked, query, describeOptedOut);
      return { total, optOuts: items };
    },
  }),
  defineRoute({
    method: "PUT",
    path: "/opt-outs/{number}",
    name: "optOut",
    summary: "Writes down that a person opted out of the account or a sub-account",
    status: 200,
    query: ofSubAccount,
    answer: optOutWordAnswer,
    run: async (deps, { account, params, query: { subAccount } }) => {
      await assertSubAccount(deps, account, subAccount);
      const { number } = await optOutNumber(deps, { account, subAccount }, params.number);
      return { number, ...(subAccount !== undefined && { subAccount }) };
    },
  }),
  defineRoute({
    method: "DELETE",
    path: "/opt-outs/{number}",
    name: "optIn",
    summary:
      "Takes an opt-out back: that of a sub-account and of the whole account, or all where no sub-account is named",
    status: 204,
    query: ofSubAccount,
    run: async (deps, { account, params: { number }, query: { subAccount } }) => {
      await assertSubAccount(deps, account, subAccount);
      await takingBack(deps, account, number, () =>
        optInNumber(deps, { account, subAccount }, number),
      );
    },
  }),
];
