import { randomUUID } from "node:crypto";
import { type Command, InvalidArgumentError } from "commander";
import type { FieldChanges } from "../../functions/core/field-changes.ts";
import type { Limits } from "../../functions/core/limits.ts";
import { addCredit, changeLimits, readUsage } from "../../functions/core/usage.ts";
import { numberOr, type OfSubAccount, onOrOff, onSubAccount, someChangesIn } from "./options.ts";
import { reportWhole } from "./output.ts";
import type { Session } from "./session.ts";

/** What `withLimits` adds. */
export type LimitsOptions = FieldChanges<Limits>;

/** A command with options for each limit. */
export const withLimits = (command: Command) =>
  command
    .addOption(numberOr("none", "--per-day <parts|none>", "the most parts (SMS) in a day"))
    .addOption(numberOr("none", "--per-month <parts|none>", "the most parts (SMS) in a month"))
    .addOption(onOrOff("--prepaid <on|off>", "only as many parts as there is credit for"));

/** Adds `limits` and `credit`. */
export function addLimitsCommands({ program, connect, report }: Session): void {
  const limits = program
    .command("limits")
    .description("the most parts (SMS) that accounts and sub-accounts may send");

  onSubAccount(limits.command("show"))
    .description("show the limits, and what was used of them today and this month")
    .action(
      report(async (owner: OfSubAccount) => reportWhole(await readUsage(await connect(), owner))),
    );

  withLimits(onSubAccount(limits.command("set")))
    .description("set limits; takes effect within a minute")
    .action(
      report(async ({ account, subAccount, ...options }: OfSubAccount & LimitsOptions) => {
        const changes = someChangesIn(options);
        const changed = await changeLimits(await connect(), { account, subAccount }, changes);
        return reportWhole(changed);
      }),
    );

  const credit = program.command("credit").description("what prepaid accounts may still send");

  onSubAccount(credit.command("add"))
    .description("add to the credit, or take from it, and print what it is now")
    .requiredOption("--parts <number>", "how many parts (SMS); negative to take", partCount)
    .action(
      report(async ({ account, subAccount, parts }: OfSubAccount & { parts: number }) => {
        const owner = { account, subAccount };
        const left = await addCredit(await connect(), owner, parts, randomUUID());
        return { lines: [`credit  ${left}`], json: { credit: left } };
      }),
    );
}

function partCount(value: string): number {
  if (/^-?\d{1,10}$/.test(value)) return Number(value);
  throw new InvalidArgumentError("It must be a whole number.");
}
