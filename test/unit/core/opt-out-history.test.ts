import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  hasOptedOut,
  hear,
  type OptOutHistory,
  type OptOutWish,
  optOutHistorySchema,
  optOutsOf,
  silence,
} from "../../../functions/core/opt-out-history.ts";
import { sampleWord } from "../../support/customer-samples.ts";

const SENDERS = [undefined, "A", "B"] as const;

interface Said {
  readonly wish: OptOutWish;
  readonly subAccount: (typeof SENDERS)[number];
  readonly at: number;
}
const wordOf = ({ subAccount, at }: Said) => sampleWord(at, { subAccount });

/** What is known after words have come in this order. */
const heard = (words: readonly Said[]) =>
  words.reduce<OptOutHistory>(
    (history, said) => hear(history, said.wish, wordOf(said)).history,
    silence("acme", "5519900001111"),
  );
const outOf = (history: OptOutHistory) => SENDERS.map((sender) => hasOptedOut(history, sender));

const said = fc.record({
  wish: fc.constantFrom("out" as const, "in" as const),
  subAccount: fc.constantFrom(...SENDERS),
});
/** Words, each of a moment of its own, in the order in which they were said. */
const saidInOrder = fc
  .array(said, { maxLength: 8 })
  .map((words) => words.map((word, at): Said => ({ ...word, at })));

/** What words mean that come as they are said. */
function meaningOf(words: readonly Said[]): boolean[] {
  const out = new Set<string | undefined>();
  for (const { wish, subAccount } of words) {
    if (wish === "out") out.add(subAccount);
    else if (subAccount === undefined) out.clear();
    else for (const each of [undefined, subAccount]) out.delete(each);
  }
  return SENDERS.map((sender) => out.has(sender) || out.has(undefined));
}

describe("what a person said about opting out", () => {
  it("means what it meant when it was said, in whatever order it comes, and however often", () => {
    const coming = saidInOrder.chain((words) =>
      fc.record({
        words: fc.constant(words),
        again: words.length > 0 ? fc.array(fc.constantFrom(...words)) : fc.constant([]),
        order: fc.infiniteStream(fc.double({ noNaN: true })),
      }),
    );
    fc.assert(
      fc.property(coming, ({ words, again, order }) => {
        const shuffled = [...words, ...again]
          .map((word) => ({ word, place: order.next().value ?? 0 }))
          .sort((one, other) => one.place - other.place)
          .map(({ word }) => word);
        expect(outOf(heard(shuffled))).toEqual(meaningOf(words));
      }),
    );
  });

  it("counts where it makes a difference, and then also when it comes again at once", () => {
    fc.assert(
      fc.property(saidInOrder, said, (words, last) => {
        const before = heard(words);
        const word: Said = { ...last, at: words.length };
        const { history, counts } = hear(before, word.wish, wordOf(word));
        const isDifferent = optOutsOf(history).length !== optOutsOf(before).length;
        expect(counts).toBe(isDifferent);
        expect(hear(history, word.wish, wordOf(word))).toEqual({ history, counts });
        expect(hear(history, word.wish, wordOf(word)).history).toBe(history);
        expect(hasOptedOut(history, word.subAccount)).toBe(word.wish === "out");
      }),
    );
  });

  it("is little, and can be read again", () => {
    fc.assert(
      fc.property(saidInOrder, (words) => {
        const history = heard(words);
        expect(history.words.length).toBeLessThanOrEqual(2 * SENDERS.length);
        expect(optOutHistorySchema.parse(JSON.parse(JSON.stringify(history)))).toEqual(history);
      }),
    );
  });

  it("holds where it was said in the same moment as the way back", () => {
    const out: Said = { wish: "out", subAccount: "A", at: 5 };
    const back: Said = { ...out, wish: "in" };
    expect(hasOptedOut(heard([out, back]), "A")).toBe(true);
    expect(hasOptedOut(heard([back, out]), "A")).toBe(true);
  });

  it("is listed by the words that made a difference", () => {
    const words = [1, 2, 3].map((at): Said => ({ wish: "out", subAccount: "A", at }));
    expect(optOutsOf(heard(words))).toEqual([
      {
        version: 1,
        account: "acme",
        subAccount: "A",
        number: "5519900001111",
        createdAt: 1,
        origin: "said at 1",
      },
    ]);
  });
});
