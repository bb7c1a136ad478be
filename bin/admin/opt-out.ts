import { type Command, Option } from "commander";
import { changeAccountSettings, InvalidRequestError } from "../../functions/core/accounts.ts";
import { listOptedOut, optInNumber, optOutNumber } from "../../functions/core/block-list.ts";
import type { OptedOutNumber } from "../../functions/core/blocked-number.ts";
import type { OptOut } from "../../functions/core/opt-out.ts";
import { changeSubAccount } from "../../functions/core/sub-accounts.ts";
import {
  commaList,
  type OfAccount,
  type OfSubAccount,
  onAccount,
  onOrOff,
  onSubAccount,
  someChangesIn,
} from "./options.ts";
import { describeItem, linesOf, reportWhole } from "./output.ts";
import type { Access, Session } from "./session.ts";

interface OfNumber extends OfSubAccount {
  readonly number: string;
}

const onNumber = (command: Command) =>
  onSubAccount(command).requiredOption("--number <number>", "the person's number");

/** Adds `opt-out`. */
export function addOptOutCommands({ program, connect, report }: Session): void {
  const optOut = program
    .command("opt-out")
    .description("people who want no messages any more, and what they answer to say so");

  onAccount(optOut.command("list"))
    .description("list who has opted out of the account, or of which of its sub-accounts")
    .action(
      report(async ({ account }: OfAccount) => {
        const found = await listOptedOut(await connect(), account);
        return {
          lines: linesOf(found, optedOutLine, "Nobody has opted out."),
          json: { optedOut: found.map(describeItem) },
        };
      }),
    );

  onNumber(optOut.command("add"))
    .description("write down that a person has opted out")
    .action(
      report(async ({ number, ...owner }: OfNumber) => {
        const { at: _, ...added } = await optOutNumber(await connect(), owner, number);
        return { lines: [`${added.number} has opted out`], json: added };
      }),
    );

  onNumber(optOut.command("remove"))
    .description("take a person's opt-out back; without sub-account, all of them")
    .action(
      report(async ({ number, ...owner }: OfNumber) => {
        const removed = (await optInNumber(await connect(), owner, number)).number;
        return { lines: [`${removed} has not opted out any more`], json: { removed } };
      }),
    );

  onSubAccount(optOut.command("set"))
    .description("set what opts people out and in again; takes effect within a minute")
    .addOption(onOrOff("--enabled <on|off>", "whether answers opt people out"))
    .option("--keywords <list>", "what opts out, separated by commas", commaList)
    .option("--back-keywords <list>", "what opts in again, separated by commas", commaList)
    .option("--confirmation <text>", 'what answers the first opt-out; "" for nothing')
    .option("--back-confirmation <text>", 'what answers the way back; "" for nothing')
    .addOption(
      new Option("--as-account", "have the sub-account do as its account does").conflicts([
        "enabled",
        "keywords",
        "backKeywords",
        "confirmation",
        "backConfirmation",
      ]),
    )
    .action(
      report(async ({ account, subAccount, ...options }: OfSubAccount & OptOutOptions) => {
        const changes = someChangesIn(options);
        return reportWhole(await setOptOut(await connect(), { account, subAccount }, changes));
      }),
    );
}

interface OptOutOptions extends Partial<OptOut> {
  readonly asAccount?: boolean;
}

async function setOptOut(
  access: Access,
  { account, subAccount }: OfSubAccount,
  { asAccount, ...changes }: OptOutOptions,
): Promise<object> {
  if (subAccount !== undefined) {
    const optOut = asAccount ? null : changes;
    const changed = await changeSubAccount(access, account, subAccount, { optOut });
    return changed.optOut ?? { asAccount: true };
  }
  if (asAccount) throw new InvalidRequestError("--as-account is for a --sub-account");
  return (await changeAccountSettings(access, account, { optOut: changes })).optOut;
}

const optedOutLine = (optedOut: OptedOutNumber) => {
  const { number, subAccount, createdAt } = describeItem(optedOut);
  const of = subAccount === undefined ? "the whole account" : subAccount;
  return `${number}  of ${of}  since ${createdAt}  by ${optedOut.origin}`;
};
