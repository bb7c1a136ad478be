import type { Command } from "commander";
import { blockNumber, listBlocked, unblockNumber } from "../../functions/core/block-list.ts";
import type { BlockedNumber } from "../../functions/core/blocked-number.ts";
import { type OfAccount, onAccount } from "./options.ts";
import { describeItem, linesOf } from "./output.ts";
import type { Session } from "./session.ts";

interface OfNumber extends OfAccount {
  readonly number: string;
}

const onNumber = (command: Command) =>
  onAccount(command).requiredOption("--number <number>", "the phone's number");

/** Adds `blocked`. */
export function addBlockedCommands({ program, connect, report }: Session): void {
  const blocked = program
    .command("blocked")
    .description("numbers that an account does not want to be sent to");

  onNumber(blocked.command("add"))
    .description("block a number")
    .action(
      report(async ({ account, number }: OfNumber) => {
        const added = await blockNumber(await connect(), account, number);
        return { lines: [`${added.number} is blocked`], json: { number: added.number } };
      }),
    );

  onAccount(blocked.command("list"))
    .description("list the numbers that the account has blocked")
    .action(
      report(async ({ account }: OfAccount) => {
        const found = await listBlocked(await connect(), account);
        return {
          lines: linesOf(found, blockedLine, "The account has blocked no numbers."),
          json: { blocked: found.map(describeItem) },
        };
      }),
    );

  onNumber(blocked.command("remove"))
    .description("let a number be sent to again")
    .action(
      report(async (options: OfNumber) => {
        const number = await unblockNumber(await connect(), options.account, options.number);
        return { lines: [`${number} is not blocked any more`], json: { removed: number } };
      }),
    );
}

const blockedLine = (blocked: BlockedNumber) => {
  const { number, createdAt } = describeItem(blocked);
  return `${number}  since ${createdAt}`;
};
