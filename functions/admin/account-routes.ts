import { changeAccountSettings, getAccount } from "../core/accounts.ts";
import type { FieldChanges } from "../core/field-changes.ts";
import type { Limits } from "../core/limits.ts";
import { readUsage } from "../core/usage.ts";
import { ApiError } from "./errors.ts";
import { type AdministrationDependencies, changing, defineRoute, type Route } from "./route.ts";
import {
  accountAnswer,
  accountChange,
  accountLimitsChange,
  describeAccount,
  describeUsage,
  usageAnswer,
} from "./schema.ts";

const about = ({ directory }: AdministrationDependencies, account: string) => ({
  what: "account",
  find: () => directory.findAccount(account),
});

/** Without what is not said, for types that tell `undefined` from nothing. */
const given = <T extends object>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]: Exclude<T[Name], undefined>;
  };

/** What the operator has set it can rely on. */
function assertLower(limits: Limits, wanted: FieldChanges<Limits>): void {
  for (const name of ["perDay", "perMonth"] as const) {
    const [next, present] = [wanted[name], limits[name]];
    if (next === undefined || present === undefined) continue;
    if (next === null || next > present) {
      throw new ApiError("FORBIDDEN", `${name}: only the operator raises or removes a limit.`);
    }
  }
}

/** The account itself, and its limits. */
export const ACCOUNT_ROUTES: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: "/account",
    name: "getAccount",
    summary: "Shows the account",
    status: 200,
    answer: accountAnswer,
    run: async ({ directory }, { account }) =>
      describeAccount(await getAccount(directory, account)),
  }),
  defineRoute({
    method: "PATCH",
    path: "/account",
    name: "changeAccount",
    summary: "Changes settings of the account; takes effect within a minute",
    status: 200,
    body: accountChange,
    answer: accountAnswer,
    run: async (deps, { account, body }) =>
      describeAccount(
        await changing(about(deps, account), () =>
          changeAccountSettings(deps, account, given(body)),
        ),
      ),
  }),
  defineRoute({
    method: "GET",
    path: "/limits",
    name: "getLimits",
    summary: "Shows the account's limits, and what is used of them",
    status: 200,
    answer: usageAnswer,
    run: async (deps, { account }) => describeUsage(await readUsage(deps, { account })),
  }),
  defineRoute({
    method: "PATCH",
    path: "/limits",
    name: "changeLimits",
    summary: "Sets or lowers the account's limits",
    status: 200,
    body: accountLimitsChange,
    answer: usageAnswer,
    run: async (deps, { account, body }) => {
      await changing(about(deps, account), () =>
        changeAccountSettings(deps, account, { limits: body }, (found) =>
          assertLower(found.limits, body),
        ),
      );
      return describeUsage(await readUsage(deps, { account }));
    },
  }),
];
