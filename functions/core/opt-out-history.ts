import * as z from "zod";
import { accountIdSchema } from "./account.ts";
import { BY_HAND, type OptedOutNumber, type OptOutWord } from "./blocked-number.ts";
import { subAccountNameSchema } from "./sub-account.ts";

/** What a person can say: nothing any more, or things again. */
export type OptOutWish = "out" | "in";

const instant = z.number().int().nonnegative();

/** The last time that a person said one thing about one sub-account, or about the whole account. */
const lastWordSchema = z.object({
  /** Absent where it was about the whole account. */
  subAccount: subAccountNameSchema.optional(),
  wish: z.enum(["out", "in"]),
  at: instant,
  /** Of those that said the same, the one that made a difference. */
  effective: z.object({ at: instant, origin: z.string() }).optional(),
});
type LastWord = z.output<typeof lastWordSchema>;

/**
 * What a person has said about the messages of an account. Words come in any order and more than
 * once; which ones hold follows from when they were said, not from when they came.
 */
export const optOutHistorySchema = z.object({
  version: z.literal(1),
  account: accountIdSchema,
  number: z.string(),
  words: z.array(lastWordSchema),
  /** Counts the changes, so that of two at the same time one is refused. */
  revision: z.number().int().nonnegative(),
});
export type OptOutHistory = z.output<typeof optOutHistorySchema>;

/** What is known of a person who has said nothing yet. */
export const silence = (account: string, number: string): OptOutHistory => ({
  version: 1,
  account,
  number,
  words: [],
  revision: 0,
});

/**
 * Takes a word into account. Of two opposite ones of the same moment the way out holds.
 *
 * @returns the same history where the word changes nothing; `counts`: whether by this very word the
 *   person is now out of, or back in, what it was about, also where the word comes again
 */
export function hear(
  history: OptOutHistory,
  wish: OptOutWish,
  word: OptOutWord,
): { readonly history: OptOutHistory; readonly counts: boolean } {
  const { subAccount, origin } = word;
  const at = timeOf(word, history);
  const known = history.words.find((last) => last.wish === wish && last.subAccount === subAccount);
  if (known?.effective?.at === at && known.effective.origin === origin) {
    return { history, counts: isFulfilled(history.words, wish, subAccount) };
  }
  if (known && known.at >= at) return { history, counts: false };
  const others = history.words.filter((last) => last !== known);
  const said: LastWord = { ...(subAccount !== undefined && { subAccount }), wish, at };
  const makesADifference =
    waysOutThatHold([...others, said]).length !== waysOutThatHold(history.words).length;
  const effective = makesADifference ? { at, origin } : known?.effective;
  const words = [...others, { ...said, ...(effective && { effective }) }];
  return {
    history: { ...history, words, revision: history.revision + 1 },
    counts: makesADifference && isFulfilled(words, wish, subAccount),
  };
}

/** What is written down by hand is the last word, however far the clock of a carrier is ahead. */
function timeOf({ at, origin }: OptOutWord, { words }: OptOutHistory): number {
  return origin === BY_HAND ? Math.max(at, ...words.map((last) => last.at + 1)) : at;
}

/** Those that no later way back has ended: one into the same, or from or into the whole account. */
const waysOutThatHold = (words: readonly LastWord[]) =>
  words.filter(
    (out) =>
      out.wish === "out" &&
      !words.some(
        (back) =>
          back.wish === "in" &&
          back.at > out.at &&
          (back.subAccount === out.subAccount ||
            back.subAccount === undefined ||
            out.subAccount === undefined),
      ),
  );

function isFulfilled(
  words: readonly LastWord[],
  wish: OptOutWish,
  subAccount: string | undefined,
): boolean {
  const outOf = waysOutThatHold(words).map((out) => out.subAccount);
  return wish === "out"
    ? outOf.includes(subAccount)
    : !outOf.includes(subAccount) && !outOf.includes(undefined);
}

/** Whether the person is not to be sent a sub-account's messages, or those of the account itself. */
export function hasOptedOut({ words }: OptOutHistory, subAccount: string | undefined): boolean {
  return !isFulfilled(words, "in", subAccount);
}

/** What the person is out of now. */
export function optOutsOf({ account, number, words }: OptOutHistory): OptedOutNumber[] {
  return waysOutThatHold(words).map(({ subAccount, at, effective }) => ({
    version: 1,
    account,
    ...(subAccount !== undefined && { subAccount }),
    number,
    createdAt: effective?.at ?? at,
    origin: effective?.origin ?? "",
  }));
}
