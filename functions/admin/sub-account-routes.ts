import { changeSubAccount, createSubAccount, removeSubAccount } from "../core/sub-accounts.ts";
import { addCredit, changeLimits, readUsage } from "../core/usage.ts";
import {
  type AdministrationDependencies,
  changing,
  defineRoute,
  existing,
  listed,
  type Route,
} from "./route.ts";
import {
  creditAddition,
  creditAnswer,
  describeSubAccount,
  describeUsage,
  limitsChange,
  listOf,
  page,
  subAccountAnswer,
  subAccountChange,
  subAccountCreation,
  usageAnswer,
} from "./schema.ts";

const about = (
  { subAccounts }: AdministrationDependencies,
  account: string,
  subAccount: string,
) => ({
  what: "sub-account",
  find: () => subAccounts.findSubAccount(account, subAccount),
});

/** The sub-accounts, their limits and their credit. */
export const SUB_ACCOUNT_ROUTES: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: "/sub-accounts",
    name: "listSubAccounts",
    summary: "Lists the sub-accounts",
    status: 200,
    query: page,
    answer: listOf("subAccounts", subAccountAnswer),
    run: async ({ subAccounts }, { account, query }) => {
      const all = await subAccounts.listSubAccounts(account);
      const { total, items } = listed(all, query, describeSubAccount);
      return { total, subAccounts: items };
    },
  }),
  defineRoute({
    method: "POST",
    path: "/sub-accounts",
    name: "createSubAccount",
    summary: "Creates a sub-account",
    status: 201,
    body: subAccountCreation,
    answer: subAccountAnswer,
    location: ({ subAccount }) => ["sub-accounts", subAccount],
    run: async (deps, { account, body }) =>
      describeSubAccount(await createSubAccount(deps, { account, ...body })),
  }),
  defineRoute({
    method: "GET",
    path: "/sub-accounts/{subAccount}",
    name: "getSubAccount",
    summary: "Shows a sub-account",
    status: 200,
    answer: subAccountAnswer,
    run: async (deps, { account, params: { subAccount } }) => {
      const { find, what } = about(deps, account, subAccount);
      return describeSubAccount(await existing(find(), what));
    },
  }),
  defineRoute({
    method: "PATCH",
    path: "/sub-accounts/{subAccount}",
    name: "changeSubAccount",
    summary: "Changes how people opt out of a sub-account",
    status: 200,
    body: subAccountChange,
    answer: subAccountAnswer,
    run: async (deps, { account, params: { subAccount }, body }) =>
      describeSubAccount(
        await changing(about(deps, account, subAccount), () =>
          changeSubAccount(deps, account, subAccount, body),
        ),
      ),
  }),
  defineRoute({
    method: "DELETE",
    path: "/sub-accounts/{subAccount}",
    name: "removeSubAccount",
    summary: "Removes a sub-account to which no users and endpoints belong any more",
    status: 204,
    run: (deps, { account, params: { subAccount } }) =>
      changing(about(deps, account, subAccount), () => removeSubAccount(deps, account, subAccount)),
  }),
  defineRoute({
    method: "GET",
    path: "/sub-accounts/{subAccount}/limits",
    name: "getSubAccountLimits",
    summary: "Shows a sub-account's limits, and what is used of them",
    status: 200,
    answer: usageAnswer,
    run: async (deps, { account, params: { subAccount } }) => {
      const { find, what } = about(deps, account, subAccount);
      await existing(find(), what);
      return describeUsage(await readUsage(deps, { account, subAccount }));
    },
  }),
  defineRoute({
    method: "PATCH",
    path: "/sub-accounts/{subAccount}/limits",
    name: "changeSubAccountLimits",
    summary: "Changes a sub-account's limits",
    status: 200,
    body: limitsChange,
    answer: usageAnswer,
    run: async (deps, { account, params: { subAccount }, body }) => {
      const owner = { account, subAccount };
      await changing(about(deps, account, subAccount), () => changeLimits(deps, owner, body));
      return describeUsage(await readUsage(deps, owner));
    },
  }),
  defineRoute({
    method: "POST",
    path: "/sub-accounts/{subAccount}/credit",
    name: "addCredit",
    summary: "Adds to a sub-account's credit",
    status: 200,
    body: creditAddition,
    answer: creditAnswer,
    run: async (deps, { account, params: { subAccount }, body: { parts, requestId } }) => {
      const token = requestId ?? deps.randomness.uuid();
      const credit = await changing(about(deps, account, subAccount), () =>
        addCredit(deps, { account, subAccount }, parts, `credit-${token}`),
      );
      return { credit };
    },
  }),
];
