import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  chooseSender,
  isSenderAllowed,
  kindOfSender,
  senderIdentitySchema,
} from "../../../functions/core/sender-identity.ts";

describe("a sender", () => {
  it.each([
    ["123", "short-code"],
    ["27182", "short-code"],
    ["12345678", "short-code"],
    ["123456789", "long-code"],
    ["5511999990000", "long-code"],
    ["1".repeat(15), "long-code"],
    ["A", "alphanumeric"],
    ["Acme", "alphanumeric"],
    ["Acme Shop 24", undefined],
    ["Acme Shop24", "alphanumeric"],
    ["24h Shop", "alphanumeric"],
    ["A&B_c-d.e", "alphanumeric"],
    ["12", undefined],
    ["1".repeat(16), undefined],
    ["", undefined],
    [" Acme", undefined],
    ["Ação", undefined],
    ["Acme\n", undefined],
    ["27182\n", undefined],
    ["+5511999990000", undefined],
    ["a,b", undefined],
  ])("%j is of the kind %s", (sender, kind) => {
    expect(kindOfSender(sender)).toBe(kind);
    expect(senderIdentitySchema.safeParse(sender).success).toBe(kind !== undefined);
  });

  it("is of a kind, or is refused, whatever it is; no kind has more than 15 characters", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (sender) => {
        const kind = kindOfSender(sender);
        expect(senderIdentitySchema.safeParse(sender).success).toBe(kind !== undefined);
        if (kind) expect(sender).toMatch(/^[\x20-\x7e]{1,15}$/);
        else expect(isSenderAllowed(sender, undefined)).toBe(false);
      }),
    );
  });

  it.each([
    ["27182", "BR", true],
    ["271828", "BR", true],
    ["2718", "BR", false],
    ["2718281", "BR", false],
    ["Acme", "BR", false],
    ["5511999990000", "BR", false],
    ["27182", "US", true],
    ["2718", "US", false],
    ["12025550100", "US", true],
    ["Acme", "US", false],
    ["Acme", "CA", false],
    ["Acme", "PT", true],
    ["2718", "PT", true],
    ["351910000000", "PT", true],
    ["Acme", undefined, true],
    ["!", "PT", false],
    ["!", undefined, false],
  ])("%s may be shown to phones of %s: %s", (sender, country, isAllowed) => {
    expect(isSenderAllowed(sender, country)).toBe(isAllowed);
  });

  it("is a short code of five or six digits in Brazil, and nothing else", () => {
    const sender = fc.oneof(
      fc.string(),
      fc.stringMatching(/^\d{1,16}$/),
      fc.stringMatching(/^[A-Za-z0-9]{1,12}$/),
    );
    fc.assert(
      fc.property(sender, (it) => {
        expect(isSenderAllowed(it, "BR")).toBe(/^[0-9]{5,6}$/.test(it));
      }),
    );
  });
});

describe("the sender that is chosen", () => {
  const list: fc.Arbitrary<string[]> = fc.uniqueArray(
    fc.constantFrom("27182", "31415", "2718", "Acme", "Shop", "5511999990000"),
    { maxLength: 4 },
  );
  const ofCarrier = fc.option(
    list.filter(({ length }) => length > 0),
    { nil: undefined },
  );
  const country = fc.constantFrom("BR", "US", "PT", undefined);

  it("is allowed by the country and the carrier, the account's own before the carrier's first", () => {
    fc.assert(
      fc.property(list, ofCarrier, country, (ofAccount, carriers, where) => {
        const sender = chooseSender(ofAccount, carriers, where);
        const may = (it: string) => isSenderAllowed(it, where) && (carriers?.includes(it) ?? true);
        const own = ofAccount.filter(may);
        if (own.length > 0) expect(sender).toBe(own[0]);
        else expect(sender).toBe(carriers?.slice(0, 1).find(may));
      }),
    );
  });

  it.each<[string, string[], string[] | undefined, string | undefined, string | undefined]>([
    ["the one that is liked best", ["31415", "27182"], ["27182", "31415"], "BR", "31415"],
    ["one that the carrier lets out", ["31415", "27182"], ["27182"], "BR", "27182"],
    ["a name where names are carried", ["Acme", "27182"], undefined, "PT", "Acme"],
    ["no name in Brazil", ["Acme", "27182"], undefined, "BR", "27182"],
    ["the carrier's first where the account has none", [], ["27182", "31415"], "BR", "27182"],
    [
      "none of the carrier's others, which may be somebody's",
      [],
      ["Acme", "27182"],
      "BR",
      undefined,
    ],
    ["no other account's of that carrier", ["Shop"], ["Acme", "31415"], "BR", undefined],
    ["the carrier's where it lets no other out", ["40001"], ["27182"], "BR", "27182"],
    ["left to the carrier that has no list", ["Acme"], undefined, "BR", undefined],
    ["left to the carrier whose list the country forbids", [], ["Acme"], "BR", undefined],
  ])("is %s", (_, ofAccount, carriers, where, expected) => {
    expect(chooseSender(ofAccount, carriers, where)).toBe(expected);
  });
});
