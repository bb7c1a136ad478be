import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  SEGMENTATIONS,
  segmentsOf,
  splitText,
  transliterate,
} from "../../../functions/core/segments.ts";

/** 3GPP TS 23.038, 6.2.1, by code point and without the escape character. */
const BASIC = String.fromCodePoint(
  ...[0x40, 0xa3, 0x24, 0xa5, 0xe8, 0xe9, 0xf9, 0xec, 0xf2, 0xc7, 0x0a, 0xd8, 0xf8, 0x0d, 0xc5],
  ...[0xe5, 0x394, 0x5f, 0x3a6, 0x393, 0x39b, 0x3a9, 0x3a0, 0x3a8, 0x3a3, 0x398, 0x39e, 0xc6, 0xe6],
  ...[0xdf, 0xc9, ...range(0x20, 0x23), 0xa4, ...range(0x25, 0x3f), 0xa1, ...range(0x41, 0x5a)],
  ...[0xc4, 0xd6, 0xd1, 0xdc, 0xa7, 0xbf, ...range(0x61, 0x7a), 0xe4, 0xf6, 0xf1, 0xfc, 0xe0],
);
/** 6.2.1.1: form feed, braces, backslash, brackets, tilde, bar, caret, euro. */
const EXTENSION = String.fromCodePoint(
  ...[0x0c, 0x5e, 0x7b, 0x7d, 0x5c, 0x5b, 0x7e, 0x5d, 0x7c, 0x20ac],
);
const PORTUGUESE = "áâãàçéêíóôõúüÁÂÃÀÇÉÊÍÓÔÕÚÜ";

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

const isGsm = (text: string) => [...text].every((it) => (BASIC + EXTENSION).includes(it));
const septets = (text: string) =>
  [...text].reduce((sum, it) => sum + (EXTENSION.includes(it) ? 2 : 1), 0);
const lengths = (parts: readonly string[]) => parts.map((part) => part.length);
/** Offsets at which a text was cut. */
const cutsOf = (parts: readonly string[]) =>
  parts.slice(0, -1).map((_, i) => parts.slice(0, i + 1).join("").length);

const textOf = (unit: fc.Arbitrary<string>) => fc.string({ unit, maxLength: 700, size: "max" });
const gsmText = textOf(
  fc.oneof(fc.constantFrom(...BASIC, ...EXTENSION), fc.constantFrom(...EXTENSION)),
);
/** Words of all lengths, some longer than a part, between spaces and line breaks. */
const wordyText = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(" ", " ", "  ", "\n", "\r\n") },
      { weight: 4, arbitrary: fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }) },
      { weight: 1, arbitrary: fc.nat(320).map((length) => "x".repeat(length)) },
      { weight: 1, arbitrary: fc.nat(160).map((pairs) => `x${"😀".repeat(pairs)}`) },
    ),
    { maxLength: 60, size: "max" },
  )
  .map((words) => words.join(""));
const anyText = fc.oneof(
  gsmText,
  wordyText,
  textOf(fc.constantFrom("ç", "a", "€", "😀", "👩‍👧", " ")),
);
const brokenText = textOf(fc.constantFrom("\ud83d", "\ude00", "a", "ç", " ", "e\u0301"));

describe("splitText", () => {
  const segmentation = fc.constantFrom(...SEGMENTATIONS);

  it.each(SEGMENTATIONS)("makes one part of an empty text (%s)", (segmentation) => {
    expect(splitText("", segmentation)).toEqual([""]);
  });

  it("loses nothing, whatever the text", () => {
    fc.assert(
      fc.property(fc.oneof(anyText, brokenText), segmentation, (text, segmentation) => {
        expect(splitText(text, segmentation).join("")).toBe(text);
      }),
    );
  });

  it("makes no empty part of a text that is not empty", () => {
    fc.assert(
      fc.property(fc.oneof(anyText, brokenText), segmentation, (text, segmentation) => {
        expect(splitText(text, segmentation).includes("")).toBe(text === "");
      }),
    );
  });

  it("leaves surrogate pairs whole", () => {
    fc.assert(
      fc.property(anyText, segmentation, (text, segmentation) => {
        for (const part of splitText(text, segmentation)) {
          expect(part).not.toMatch(/^[\udc00-\udfff]|[\ud800-\udbff]$/);
        }
      }),
    );
  });
});

describe("splitText, as Mesago does", () => {
  const x = (length: number) => "x".repeat(length);
  const split = (text: string) => splitText(text, "mesago");

  it.each([
    ["160 characters alone", x(160), [160]],
    ["160 code units alone, whatever the alphabet", "😀".repeat(80), [160]],
    ["161 characters in two", x(161), [152, 9]],
    ["one word in parts of 152", x(400), [152, 152, 96]],
    ["two full parts", x(304), [152, 152]],
    ["words at the last space, which stays behind", `${x(100)} ${x(40)} ${x(40)}`, [142, 40]],
    ["at a space that just fits", `${x(151)} ${x(40)}`, [152, 40]],
    ["in front of a space that no longer fits", `${x(152)} ${x(40)}`, [152, 41]],
    ["not in a word that no longer fits", `${x(10)} ${x(142)} ${x(40)}`, [11, 143, 40]],
    ["at a line break", `${x(100)}\n${x(100)}`, [101, 100]],
    ["at a carriage return", `${x(100)}\r${x(100)}`, [101, 100]],
    ["not at a no-break space", `${x(100)}\u00a0${x(100)}`, [152, 49]],
    ["not at a tab", `${x(100)}\t${x(100)}`, [152, 49]],
    ["a long word where it begins, then anywhere", `hi ${x(200)}`, [3, 152, 48]],
    ["several spaces between the parts", `${x(150)}     ${x(30)}`, [152, 33]],
    ["nothing but spaces", " ".repeat(161), [152, 9]],
    ["in front of a surrogate pair", `${x(151)}😀${x(20)}`, [151, 22]],
    ["behind a surrogate pair", `${x(150)}😀${x(20)}`, [152, 20]],
    ["no text of 160 characters, though all take two septets", "€".repeat(160), [160]],
  ])("cuts %s", (_, text, expected) => {
    expect(lengths(split(text))).toEqual(expected);
  });

  it("cuts Portuguese text between words", () => {
    const sentence = "Sua encomenda saiu para entrega e deve chegar até às 18h de amanhã. ";
    const text = sentence.repeat(3).trimEnd();
    expect(split(text)).toEqual([
      `${sentence.repeat(2)}Sua encomenda `,
      sentence.slice("Sua encomenda ".length).trimEnd(),
    ]);
  });

  /** Where a cut does no harm: behind a space or in front of one. */
  const betweenWords = (text: string, at: number) => /[ \r\n]/.test(text.slice(at - 1, at + 1));

  it("keeps to the limits", () => {
    fc.assert(
      fc.property(fc.oneof(anyText, brokenText), (text) => {
        const parts = split(text);
        if (text.length <= 160) expect(parts).toEqual([text]);
        else expect(Math.max(...lengths(parts))).toBeLessThanOrEqual(152);
      }),
    );
  });

  it("cuts no word but one that is longer than a part, and that not before 151 characters", () => {
    fc.assert(
      fc.property(fc.oneof(wordyText, anyText), (text) => {
        const parts = split(text);
        for (const [i, cut] of cutsOf(parts).entries()) {
          if (betweenWords(text, cut)) continue;
          const part = parts[i] ?? "";
          expect(text.slice(cut - part.length, cut - part.length + 153)).toMatch(/^[^ \r\n]{153}$/);
          const pair = /^[\ud800-\udbff][\udc00-\udfff]/.test(text.slice(cut, cut + 2));
          expect(part.length === 152 || (part.length === 151 && pair)).toBe(true);
        }
      }),
    );
  });

  it("makes parts as long as can be: up to the next place between words would be too long", () => {
    fc.assert(
      fc.property(fc.oneof(wordyText, anyText), (text) => {
        const parts = split(text);
        for (const [i, cut] of cutsOf(parts).entries()) {
          let next = cut + 1;
          while (next < text.length && !betweenWords(text, next)) next++;
          expect(next - cut + (parts[i] ?? "").length).toBeGreaterThan(152);
        }
      }),
    );
  });
});

describe("splitText, as the phone networks do", () => {
  const x = (length: number) => "x".repeat(length);
  const split = (text: string) => splitText(text, "gsm");

  it.each([
    ["160 septets alone", x(160), [160]],
    ["161 septets in two", x(161), [153, 8]],
    ["two full parts", x(306), [153, 153]],
    ["a septet more than two full parts", x(307), [153, 153, 1]],
    ["80 escaped characters alone", "€".repeat(80), [80]],
    ["81 escaped characters in two", "€".repeat(81), [76, 5]],
    ["153 escaped characters in three, though they have 306 septets", "]".repeat(153), [76, 76, 1]],
    ["in front of an escaped character that begins at septet 153", `${x(152)}€${x(20)}`, [152, 21]],
    ["behind an escaped character that ends at septet 153", `${x(151)}€${x(20)}`, [152, 20]],
    ["160 septets alone that end in an escaped character", `${x(158)}€`, [159]],
    ["161 septets in two that end in an escaped character", `${x(159)}€`, [153, 7]],
    ["words anywhere", "palavra ".repeat(21), [153, 15]],
    ["70 code units alone", "ç".repeat(70), [70]],
    ["71 code units in two", "ç".repeat(71), [67, 4]],
    ["two full parts of code units", "ç".repeat(134), [67, 67]],
    ["a code unit more than two full parts", "ç".repeat(135), [67, 67, 1]],
    ["UCS-2 because of one letter at the end", `${x(159)}ç`, [67, 67, 26]],
    ["escaped characters one by one in UCS-2", `${"]".repeat(69)}☃`, [70]],
    ["70 code units alone with a pair over 67", `ç${x(65)}😀xx`, [70]],
    ["in front of a pair that begins at 67", `ç${x(65)}😀${x(20)}`, [66, 22]],
    ["behind a pair that ends at 67", `ç${x(64)}😀${x(20)}`, [67, 20]],
    ["pairs", "😀".repeat(40), [66, 14]],
    ["an emoji of several code points", `${x(60)}👨‍👩‍👧‍👦${x(30)}`, [66, 35]],
    ["decomposed letters as the two code units they are", "e\u0301".repeat(36), [67, 5]],
    ["halves of pairs like any code unit", `${x(66)}\ud83d${x(9)}`, [67, 9]],
  ])("cuts %s", (_, text, expected) => {
    expect(lengths(split(text))).toEqual(expected);
  });

  it("has the basic set in one septet, the extension set in two", () => {
    const split160 = [...BASIC].map((it) => lengths(split(it.repeat(160))));
    const split161 = [...BASIC].map((it) => lengths(split(it.repeat(161))));
    expect(split160).toEqual(Array(127).fill([160]));
    expect(split161).toEqual(Array(127).fill([153, 8]));
    const split80 = [...EXTENSION].map((it) => lengths(split(it.repeat(80))));
    const split81 = [...EXTENSION].map((it) => lengths(split(it.repeat(81))));
    expect(split80).toEqual(Array(10).fill([80]));
    expect(split81).toEqual(Array(10).fill([76, 5]));
  });

  it("has no other character of the basic multilingual plane in septets", () => {
    const others = range(0, 0xffff)
      .map((code) => String.fromCharCode(code))
      .filter((it) => !isGsm(it));
    expect(others.filter((it) => split(it + x(70)).length === 1)).toEqual([]);
    expect(others).toContain("\u001b");
    expect(others).toEqual(expect.arrayContaining([..."áâãçêíóôõúÁÂÃÀÊÍÓÔÕÚ`\t\u00a0"]));
  });

  /** Septets or code units: what the text takes, and what it may take. */
  const measure = (text: string) =>
    isGsm(text)
      ? { sizeOf: septets, alone: 160, part: 153 }
      : { sizeOf: (part: string) => part.length, alone: 70, part: 67 };

  it("keeps to the limits", () => {
    fc.assert(
      fc.property(fc.oneof(anyText, brokenText), (text) => {
        const { sizeOf, alone, part } = measure(text);
        const parts = split(text);
        if (sizeOf(text) <= alone) expect(parts).toEqual([text]);
        else expect(Math.max(...parts.map(sizeOf))).toBeLessThanOrEqual(part);
      }),
    );
  });

  /** The fewest parts that a text can be cut into, found by trying every cut. */
  function fewestParts(text: string): number {
    const { sizeOf, alone, part } = measure(text);
    if (sizeOf(text) <= alone) return 1;
    const sizes = Array.from(text, sizeOf);
    const fewest = [0];
    for (let end = 1; end <= sizes.length; end++) {
      let size = 0;
      let best = Number.POSITIVE_INFINITY;
      for (let start = end - 1; start >= 0; start--) {
        size += sizes[start] ?? 0;
        if (size > part) break;
        best = Math.min(best, (fewest[start] ?? 0) + 1);
      }
      fewest.push(best);
    }
    return fewest.at(-1) ?? 1;
  }

  it("makes as few parts as can be", () => {
    fc.assert(
      fc.property(fc.oneof(anyText, brokenText), (text) => {
        expect(split(text)).toHaveLength(fewestParts(text));
      }),
    );
  });
});

describe("segmentsOf", () => {
  const x = (length: number) => "x".repeat(length);

  it.each([
    ["a short text", ["Hello"], "gsm", [[5]]],
    ["an empty text", [""], "gsm", [[0]]],
    ["160 septets alone", [x(160)], "gsm", [[160]]],
    ["161 septets of one part", [x(161)], "gsm", [[153, 8]]],
    ["80 escaped characters alone", ["€".repeat(80)], "gsm", [[80]]],
    ["an escaped character that does not fit", [`${x(152)}€${x(20)}`], "gsm", [[152, 21]]],
    ["70 code units alone", ["ç".repeat(70)], "ucs2", [[70]]],
    [
      "160 characters that need UCS-2, which Mesago counts as one part",
      ["ç".repeat(160)],
      "ucs2",
      [[67, 67, 26]],
    ],
    ["a pair that does not fit", [`ç${x(65)}😀${x(20)}`], "ucs2", [[66, 22]]],
    ["parts that are one SMS each", [x(152), x(9)], "gsm", [[152], [9]]],
    ["parts of which one needs UCS-2, and so all do", [x(152), "ç"], "ucs2", [[67, 67, 18], [1]]],
  ] as const)("has %s", (_, parts, coding, expected) => {
    const segments = segmentsOf(parts);
    expect(segments.map((it) => it.coding)).toEqual(parts.map(() => coding));
    expect(segments.map(({ texts }) => lengths(texts))).toEqual(expected);
  });

  const partsOf = fc
    .tuple(fc.oneof(anyText, brokenText), fc.constantFrom(...SEGMENTATIONS))
    .map(([text, segmentation]) => splitText(text, segmentation));

  it("loses nothing of any part", () => {
    fc.assert(
      fc.property(partsOf, (parts) => {
        expect(segmentsOf(parts).map(({ texts }) => texts.join(""))).toEqual(parts);
      }),
    );
  });

  it("numbers all SMS of the message, one after the other", () => {
    fc.assert(
      fc.property(partsOf, (parts) => {
        const segments = segmentsOf(parts);
        const total = segments.flatMap(({ texts }) => texts).length;
        let next = 1;
        for (const { texts, first, total: told } of segments) {
          expect([first, told]).toEqual([next, total]);
          expect(texts.length).toBeGreaterThan(0);
          next += texts.length;
        }
        expect(next).toBe(total + 1);
      }),
    );
  });

  it("keeps each SMS within what goes over the air, beside what puts several together", () => {
    fc.assert(
      fc.property(partsOf, (parts) => {
        const all = parts.every(isGsm);
        const [sizeOf, alone, part] = all
          ? [septets, 160, 153]
          : [(it: string) => it.length, 70, 67];
        for (const { coding, texts, total } of segmentsOf(parts)) {
          expect(coding).toBe(all ? "gsm" : "ucs2");
          const most = total === 1 ? alone : part;
          for (const text of texts) expect(sizeOf(text)).toBeLessThanOrEqual(most);
        }
      }),
    );
  });

  it("makes no more SMS of a part than the phone networks do", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const [segments] = segmentsOf([text]);
        expect(segments?.texts).toEqual(splitText(text, "gsm"));
      }),
    );
  });

  it("cuts no surrogate pair", () => {
    fc.assert(
      fc.property(anyText, fc.constantFrom(...SEGMENTATIONS), (text, segmentation) => {
        for (const sms of segmentsOf(splitText(text, segmentation)).flatMap(({ texts }) => texts)) {
          expect(sms).not.toMatch(/^[\udc00-\udfff]|[\ud800-\udbff]$/);
        }
      }),
    );
  });
});

describe("transliterate", () => {
  it.each([
    ["Portuguese", "Promoção: não é só amanhã, às três!", "Promocao: nao é so amanha, às tres!"],
    ["what the alphabet has", "àéèùìòÇñÑüÜöÖäÄ", "àéèùìòÇñÑüÜöÖäÄ"],
    ["capitals", "ÁÂÃÀÊÍÓÔÕÚ", "AAAAEIOOOU"],
    ["decomposed letters that the alphabet has", "e\u0301 C\u0327 n\u0303", "é Ç ñ"],
    ["decomposed letters that it lacks", "c\u0327a\u0303o", "cao"],
    ["letters with several marks", "ệ ǖ ǻ", "e u a"],
    ["letters with marks that do not compose", "x\u0301 é\u0316", "x e"],
    ["ordinals", "1º 2ª n° 3", "1o 2a no 3"],
    ["quotes", "“a” ‘b’ d’ouro «c» „d‟ ´e` 5′ 6″", `"a" 'b' d'ouro "c" "d" 'e' 5' 6"`],
    ["dashes", "a–b—c‑d−e", "a-b-c-d-e"],
    ["an ellipsis", "fim…", "fim..."],
    ["bullets and multiplication", "• 3×", "* 3x"],
    ["spaces", "R$\u00a05\u202f000\ta\u2003b\u3000c", "R$ 5 000 a b c"],
    ["line separators", "a\u2028b\u2029c\r\nd", "a\nb\nc\r\nd"],
    ["invisible characters", "\ufeffa\u200bb\u00adc\u2060", "abc"],
    [
      "ligatures and letters of their own",
      "œŒ ﬁ łŁ đĐ ðÐ þÞ ı ẞ æÆøØåß",
      "oeOE fi lL dD dD thTh i SS æÆøØåß",
    ],
    ["letters and digits in fancy dress", "𝗣𝗿𝗼𝗺𝗼 ＡＢＣ１２３ ℓ", "Promo ABC123 l"],
    ["equivalents of what the alphabet has", "\u2126 \u212b \u212a \u037e", "Ω Å K ;"],
    ["nothing", "", ""],
  ])("writes %s plainly", (_, text, expected) => {
    expect(transliterate(text)).toBe(expected);
    expect(isGsm(expected)).toBe(true);
  });

  it.each([
    ["emoji", "😀 👨‍👩‍👧‍👦 ❤️ 👍🏽 1️⃣ ℹ️ ©️ 🇧🇷"],
    ["Cyrillic, with its marks", "Ёлка и\u0306 Я\u0301"],
    ["other scripts", "漢字 が 한국어 नमस्ते العربية שָׁלוֹם Ά"],
    ["numbers that would read as others", "R$ 100¹ m² 1½"],
    ["signs whose accent is their meaning", "≠ =\u0338 ≮"],
    ["a mark on nothing", "\u0301"],
    ["halves of surrogate pairs", "\ud83d \ude00"],
    ["the escape character", "\u001b"],
  ])("leaves %s alone", (_, text) => {
    expect(transliterate(text)).toBe(text);
  });

  it("replaces what it can around what it cannot", () => {
    expect(transliterate("não 😀 “Ж”")).toBe('nao 😀 "Ж"');
  });

  it("brings every Portuguese letter into the alphabet, composed or not", () => {
    for (const form of ["NFC", "NFD"]) {
      const written = transliterate(PORTUGUESE.normalize(form));
      expect(written).toBe("aaaàcéeiooouüAAAAÇÉEIOOOUÜ");
      expect(isGsm(written)).toBe(true);
    }
  });

  const portuguese = fc.constantFrom(...PORTUGUESE, ...PORTUGUESE.normalize("NFD"));
  const unit = fc.oneof(
    portuguese,
    fc.constantFrom(..."“”–…º´\u00a0\u200b\u00adœ€~`ﬁ𝗣ℹ≠", "\u0301", "\u0338", "\ufe0f", "\u200d"),
    fc.constantFrom(...BASIC),
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
  );
  const mixedText = fc.string({ unit, maxLength: 40 });

  it("has nothing left to do the second time", () => {
    fc.assert(
      fc.property(fc.oneof(mixedText, brokenText), (text) => {
        const written = transliterate(text);
        expect(transliterate(written)).toBe(written);
      }),
      { numRuns: 1000 },
    );
  });

  it("leaves alone what is in the alphabet", () => {
    fc.assert(fc.property(gsmText, (text) => transliterate(text) === text));
  });

  it("makes a text of Portuguese letters and the alphabet one of septets", () => {
    const letters = fc.string({
      unit: fc.oneof(fc.constantFrom(...PORTUGUESE), fc.constantFrom(...BASIC, ...EXTENSION)),
    });
    fc.assert(
      fc.property(letters, fc.constantFrom("NFC", "NFD"), (text, form) =>
        isGsm(transliterate(text.normalize(form))),
      ),
    );
  });

  it("writes a text the same however its accents arrive", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...PORTUGUESE, ...BASIC) }), (text) => {
        expect(transliterate(text.normalize("NFD"))).toBe(transliterate(text.normalize("NFC")));
      }),
    );
  });
});
