import * as z from "zod";
import { accountIdSchema } from "./account.ts";
import { subAccountNameSchema } from "./sub-account.ts";

const instant = z.number().int().nonnegative();

/** E.164 without the plus sign. */
const number = z.string().regex(/^\d{6,15}$/);

/** A number that its account does not want to be sent to. */
export const blockedNumberSchema = z.object({
  version: z.literal(1),
  account: accountIdSchema,
  number,
  createdAt: instant,
});
export type BlockedNumber = z.output<typeof blockedNumberSchema>;

/** A person who does not want to be sent anything by a sub-account, or by the whole account. */
export const optedOutNumberSchema = z.object({
  version: z.literal(1),
  account: accountIdSchema,
  /** Absent where it is the whole account's messages that the person opted out of. */
  subAccount: subAccountNameSchema.optional(),
  number,
  createdAt: instant,
  /** Which answer of the person's it was, or whoever else wrote it down. */
  origin: z.string(),
});
export type OptedOutNumber = z.output<typeof optedOutNumberSchema>;

/** The origin of what was not said by the person, but written down for it. */
export const BY_HAND = "admin";

/** What a person said at a time, in milliseconds since the epoch, about the messages of a sub-account or of the whole account. */
export interface OptOutWord {
  readonly account: string;
  readonly subAccount?: string | undefined;
  readonly number: string;
  readonly at: number;
  /** Which answer of the person's it was, or whoever else wrote it down. */
  readonly origin: string;
}

/** Why a number is not sent to. */
export type BlockReason = "block-list" | "opt-out";

/** The numbers that are not sent to. */
export interface BlockedNumbers {
  /** Those of the numbers that are not to be sent to by this sub-account (or by the account itself), and why. */
  findBlocked(
    account: string,
    subAccount: string | undefined,
    numbers: readonly string[],
  ): Promise<Map<string, BlockReason>>;
  /** @returns false where it was blocked already */
  block(blocked: BlockedNumber): Promise<boolean>;
  /** @returns false where it was not blocked */
  unblock(account: string, number: string): Promise<boolean>;
  listBlocked(account: string): Promise<BlockedNumber[]>;
  /**
   * Writes down that a person opted out, where that is later than what is known of the person; it
   * is kept that this was the last word, so that an older one that comes again changes nothing.
   * @returns whether this word counts: the person had not opted out before, or this is the same word again
   */
  optOut(word: OptOutWord): Promise<boolean>;
  /**
   * The same for the way back: into this sub-account and whatever the whole account's opt-out held
   * back; into everything where there is no sub-account.
   */
  optIn(word: OptOutWord): Promise<boolean>;
  listOptedOut(account: string): Promise<OptedOutNumber[]>;
}
