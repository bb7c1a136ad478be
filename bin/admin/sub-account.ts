import type { Command } from "commander";
import { getAccount } from "../../functions/core/accounts.ts";
import type { SubAccount } from "../../functions/core/sub-account.ts";
import {
  changeSubAccount,
  createSubAccount,
  getSubAccount,
  removeSubAccount,
} from "../../functions/core/sub-accounts.ts";
import { describeEndpoints } from "./endpoint.ts";
import { type LimitsOptions, withLimits } from "./limits.ts";
import { changesIn, type OfAccount, onAccount, someChangesIn } from "./options.ts";
import { describeItem, linesOf, reportWhole } from "./output.ts";
import type { Session } from "./session.ts";

interface OfThisSubAccount extends OfAccount {
  readonly subAccount: string;
}

const onThisSubAccount = (command: Command) =>
  onAccount(command).requiredOption("--sub-account <reference>", "the sub-account's reference");

/** Adds `sub-account`. */
export function addSubAccountCommands({ program, connect, report }: Session): void {
  const subAccount = program
    .command("sub-account")
    .description("cost centres of accounts; regular users belong to one");

  withLimits(onThisSubAccount(subAccount.command("create")))
    .description("create a sub-account")
    .action(
      report(async ({ account, subAccount, ...options }: OfThisSubAccount & LimitsOptions) => {
        const request = { account, subAccount, limits: changesIn(options) };
        const created = await createSubAccount(await connect(), request);
        return { lines: [subAccountLine(created)], json: describeItem(created) };
      }),
    );

  onAccount(subAccount.command("list"))
    .description("list the account's sub-accounts")
    .action(
      report(async ({ account }: OfAccount) => {
        const { directory, subAccounts } = await connect();
        await getAccount(directory, account);
        const found = await subAccounts.listSubAccounts(account);
        return {
          lines: linesOf(found, subAccountLine, "The account has no sub-accounts."),
          json: { subAccounts: found.map(describeItem) },
        };
      }),
    );

  onThisSubAccount(subAccount.command("show"))
    .description("show a sub-account, with its users and endpoints")
    .action(
      report(async ({ account, subAccount }: OfThisSubAccount) => {
        const access = await connect();
        const found = await getSubAccount(access, account, subAccount);
        const [users, endpoints] = await Promise.all([
          access.users.listUsers(account),
          describeEndpoints(access, account),
        ]);
        const belongs = (item: { subAccount?: string | undefined }) =>
          item.subAccount === subAccount;
        return reportWhole({
          ...describeItem(found),
          users: users.filter(belongs).map(({ username }) => username),
          endpoints: endpoints.filter(belongs),
        });
      }),
    );

  withLimits(onThisSubAccount(subAccount.command("set")))
    .description("set the limits of a sub-account; takes effect within a minute")
    .action(
      report(async ({ account, subAccount, ...options }: OfThisSubAccount & LimitsOptions) => {
        const limits = someChangesIn(options);
        const changed = await changeSubAccount(await connect(), account, subAccount, { limits });
        return reportWhole(describeItem(changed));
      }),
    );

  onThisSubAccount(subAccount.command("remove"))
    .description("remove a sub-account that no user or endpoint belongs to")
    .action(
      report(async ({ account, subAccount }: OfThisSubAccount) => {
        await removeSubAccount(await connect(), account, subAccount);
        return { lines: ["removed"], json: { removed: subAccount } };
      }),
    );
}

const subAccountLine = ({ subAccount, limits: { perDay, perMonth, prepaid } }: SubAccount) =>
  [
    subAccount,
    ...(perDay === undefined ? [] : [`${perDay} a day`]),
    ...(perMonth === undefined ? [] : [`${perMonth} a month`]),
    ...(prepaid ? ["prepaid"] : []),
  ].join("  ");
