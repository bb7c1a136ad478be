import { readFileSync } from "node:fs";
import { type Command, InvalidArgumentError, Option } from "commander";
import { InvalidRequestError } from "../../functions/core/accounts.ts";

/** The options of a command that is about an account. */
export interface OfAccount {
  readonly account: string;
}

/** Those of a command that is about an account, or about one of its sub-accounts. */
export interface OfSubAccount extends OfAccount {
  readonly subAccount?: string | undefined;
}

/** A command that is about an account. */
export const onAccount = (command: Command) =>
  command.requiredOption("--account <account>", "the account's name");

/** A command that is about an account, or about one of its sub-accounts. */
export const onSubAccount = (command: Command) =>
  onAccount(command).option(
    "--sub-account <reference>",
    "one of its sub-accounts (default: the account itself)",
  );

/** An option that switches something. */
export const onOrOff = (flags: string, description: string) =>
  new Option(flags, description).choices(["on", "off"]).argParser((value) => {
    if (value === "on" || value === "off") return value === "on";
    throw new InvalidArgumentError('It must be "on" or "off".');
  });

/** An option for how long the old secret stays valid beside the new one. */
export const overlap = (what: string, minutes = 0) =>
  new Option(
    "--overlap-minutes <minutes>",
    `for how long the old ${what} stays valid beside the new one`,
  )
    .argParser(wholeNumber)
    .default(minutes);

/** In the place of null, of which commander makes an empty text. */
const REMOVED = Symbol("removed");

/** An option for a number that a word takes away again. */
export const numberOr = (word: string, flags: string, description: string) =>
  new Option(flags, description).argParser((value) => {
    if (value === word) return REMOVED;
    if (/^\d{1,10}$/.test(value)) return Number(value);
    throw new InvalidArgumentError(`It must be a whole number or "${word}".`);
  });

/** An option for a text that "none" takes away again. */
export const textOrNone = (flags: string, description: string) =>
  new Option(flags, `${description}; "none" for none`).argParser((value) =>
    value === "none" ? REMOVED : value,
  );

/** An option for a list in JSON that a word takes away again. */
export const listOr = (word: string, flags: string, description: string) =>
  new Option(flags, description).argParser((value) =>
    value === word ? REMOVED : listIn(value, `a list in JSON, or "${word}"`),
  );

/** An option for a file that holds a list in JSON. */
export const listFile = (flags: string, description: string) =>
  new Option(flags, description).argParser((path) =>
    listIn(contentOf(path), "a file with a list in JSON"),
  );

function listIn(text: string, expected: string): unknown[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    // Told of below, as what is JSON but no list.
  }
  if (Array.isArray(list)) return list;
  throw new InvalidArgumentError(`It must be ${expected}.`);
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new InvalidArgumentError(
      `It cannot be read (${error instanceof Error ? error.message : error}).`,
    );
  }
}

/** What options say is to be changed: null for what is to be taken away. */
export function changesIn<Changes extends object>(options: Changes): Changes {
  const entries = Object.entries(options);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, value === REMOVED ? null : value]),
  ) as Changes;
}

/**
 * The same of options of which there must be one.
 * @throws InvalidRequestError where there is none
 */
export function someChangesIn<Changes extends object>(options: Changes): Changes {
  if (Object.keys(options).length > 0) return changesIn(options);
  throw new InvalidRequestError("there is nothing to set: --help lists what there is");
}

/** The value of an option that is a time; in milliseconds since the epoch. */
export function time(value: string): number {
  const at = /^\d{4}-\d\d-\d\d(T.*(Z|[+-]\d\d:\d\d))?$/.test(value) ? Date.parse(value) : NaN;
  if (!Number.isNaN(at)) return at;
  throw new InvalidArgumentError("It must be a time such as 2026-11-22T12:00:00Z.");
}

function wholeNumber(value: string): number {
  if (/^\d{1,6}$/.test(value)) return Number(value);
  throw new InvalidArgumentError("It must be a whole number from 0 to 999999.");
}

/** What stands between commas. */
export const commaList = (list: string) => list.split(",").flatMap((item) => item.trim() || []);
