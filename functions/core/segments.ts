/**
 * How a text is cut into parts: `mesago` by the words, as the Mesago document has it for long
 * messages; `gsm` as the phone networks do.
 */
export const SEGMENTATIONS = ["mesago", "gsm"] as const;
export type Segmentation = (typeof SEGMENTATIONS)[number];

/** In characters as the document counts them, UTF-16 code units. */
const MESAGO = { alone: 160, part: 152 };

/** The basic table of GSM 03.38 (3GPP TS 23.038, 6.2.1), sixteen to the row, without the escape character. */
const BASIC = [
  "@£$¥èéùìòÇ\nØø\rÅå",
  "Δ_ΦΓΛΩΠΨΣΘΞÆæßÉ",
  " !\"#¤%&'()*+,-./",
  "0123456789:;<=>?",
  "¡ABCDEFGHIJKLMNO",
  "PQRSTUVWXYZÄÖÑÜ§",
  "¿abcdefghijklmno",
  "pqrstuvwxyzäöñüà",
].join("");

/** Its extension table (6.2.1.1): what stands behind an escape character. */
const EXTENSION = "\f^{}\\[~]|€";

const SEPTETS: ReadonlyMap<string, number> = new Map(
  Array.from(BASIC + EXTENSION, (character) => [character, BASIC.includes(character) ? 1 : 2]),
);

/** Nothing but the basic table, in which a character is a septet and a UTF-16 code unit. */
const ALL_BASIC = new RegExp(`^[${BASIC.replace(/[\]\\^-]/g, "\\$&")}]*$`);

const isGsm = (text: string) =>
  ALL_BASIC.test(text) || [...text].every((character) => SEPTETS.has(character));

/** What an SMS holds alone and as one of several parts, and what a code point takes of that. */
interface Coding {
  readonly alone: number;
  readonly part: number;
  readonly sizeOf: (codePoint: string) => number;
}

/** In septets. */
const GSM: Coding = { alone: 160, part: 153, sizeOf: (codePoint) => SEPTETS.get(codePoint) ?? 0 };

/** In UTF-16 code units: phones take surrogate pairs in UCS-2 for what they are. */
const UCS2: Coding = { alone: 70, part: 67, sizeOf: (codePoint) => codePoint.length };

/**
 * The parts of a text, in order: one where it fits a single SMS, and of an empty text. They hold
 * all of the text, `parts.join("") === text`, since the phone puts them together again.
 *
 * - `mesago`: up to 160 characters alone, else parts of at most 152, each as long as can be
 *   without cutting a word. Spaces and line breaks (CR, LF) end words; a no-break space does not.
 *   Of a word that is longer than a part, 152 characters make a part, or 151 and no half of a
 *   surrogate pair.
 * - `gsm`: up to 160 septets alone, else parts of 153, where all is in the GSM 03.38 alphabet; up
 *   to 70 UTF-16 code units, else 67, where it is not. Words are cut, and so are emoji of several
 *   code points; an escaped character or a surrogate pair never is.
 */
export function splitText(text: string, segmentation: Segmentation): string[] {
  return segmentation === "mesago" ? splitAtWords(text) : splitAnywhere(text);
}

function splitAtWords(text: string): string[] {
  if (text.length <= MESAGO.alone) return [text];
  const parts: string[] = [];
  let rest = text;
  while (rest.length > MESAGO.part) {
    const cut = lengthOfWords(rest);
    parts.push(rest.slice(0, cut));
    rest = rest.slice(cut);
  }
  return [...parts, rest];
}

/** How much of a text too long for a part makes one. */
function lengthOfWords(text: string): number {
  // A space may also be the first character of the next part, so one more is looked at.
  const window = text.slice(0, MESAGO.part + 1);
  const space = Math.max(...[" ", "\n", "\r"].map((character) => window.lastIndexOf(character)));
  if (space >= 0) return Math.min(space + 1, MESAGO.part);
  const last = window.codePointAt(MESAGO.part - 1) ?? 0;
  return last > 0xffff ? MESAGO.part - 1 : MESAGO.part;
}

function splitAnywhere(text: string): string[] {
  const coding = isGsm(text) ? GSM : UCS2;
  const whole = fill(text, coding.alone, coding);
  return whole.length === 1 ? whole : fill(text, coding.part, coding);
}

function fill(text: string, limit: number, { sizeOf }: Coding): string[] {
  if (text.length <= limit && ALL_BASIC.test(text)) return [text];
  const parts: string[] = [];
  let part = "";
  let size = 0;
  for (const codePoint of text) {
    if (size + sizeOf(codePoint) > limit) {
      parts.push(part);
      part = "";
      size = 0;
    }
    part += codePoint;
    size += sizeOf(codePoint);
  }
  return [...parts, part];
}

/** How a text, which is a whole message or one part of it, goes over the air. */
export interface Segments {
  /** The same for all of a message: GSM 03.38, or UCS-2 where its alphabet does not do. */
  readonly coding: "gsm" | "ucs2";
  /** What each SMS holds; one, but for parts that are longer than an SMS in this coding. */
  readonly texts: readonly string[];
  /** The place of the first of them among all of the message, 1 for the first. */
  readonly first: number;
  /** How many SMS the message is over the air. */
  readonly total: number;
}

/**
 * How the parts of a message go over the air, by part. A part is one SMS, or several where it was
 * counted in characters and needs UCS-2 (`mesago`). Texts of a message of more than one SMS leave
 * room for the six bytes that tell the phone how to put them together (3GPP TS 23.040, 9.2.3.24.1).
 */
export function segmentsOf(parts: readonly string[]): Segments[] {
  const isAllGsm = parts.every(isGsm);
  const coding = isAllGsm ? GSM : UCS2;
  const [only = ""] = parts;
  const fitsAlone = parts.length === 1 && fill(only, coding.alone, coding).length === 1;
  const texts = parts.map((part) => (fitsAlone ? [part] : fill(part, coding.part, coding)));
  const total = texts.flat().length;
  let first = 1;
  return texts.map((ofPart) => {
    const segments = { coding: isAllGsm ? "gsm" : "ucs2", texts: ofPart, first, total } as const;
    first += ofPart.length;
    return segments;
  });
}

/**
 * What stands for the characters on the right, none of which Unicode decomposes into plain
 * letters. Superscript digits and fractions are left out on purpose: `R$ 100¹` would become another
 * price. So is `≠`.
 */
const COUNTERPARTS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    "'": "‘’‚‛‹›′ʼ´`",
    '"': "“”„‟«»″",
    "-": "‐‑‒–—―−",
    "...": "…",
    "*": "•",
    // On Brazilian keyboards the degree sign is next to the ordinal indicator, and often meant so.
    o: "°",
    x: "×",
    oe: "œ",
    OE: "Œ",
    l: "ł",
    L: "Ł",
    d: "đð",
    D: "ĐÐ",
    th: "þ",
    Th: "Þ",
    i: "ı",
    SS: "ẞ",
    " ": "\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
    "\n": "\u2028\u2029",
    // Soft hyphen, zero-width space, word joiner, byte-order mark: invisible, and pasted unawares.
    "": "\u00ad\u200b\u2060\ufeff",
  }).flatMap(([plain, characters]) => Array.from(characters, (character) => [character, plain])),
);

/** A code point with the marks that belong to it. */
const CHARACTERS = /.\p{M}*/gsu;
const LETTER_OR_DIGIT = /^[\p{L}\p{Nd}]/u;
/** Other marks are no accents: the variation selector of an emoji, the vowels of other scripts. */
const ACCENTS = /[\u0300-\u036f]/g;

/**
 * Replaces what the GSM 03.38 alphabet lacks by plain letters and signs where there are any: `ç` →
 * `c`, `ã` → `a`, `º` → `o`, curly quotes → straight, dashes → `-`, `…` → `...`, no-break spaces and
 * tabs → space. Invisible characters that carry nothing go. What the alphabet has stays (`é`, `Ç`),
 * though composed where it arrives decomposed, and so does what has no counterpart (emoji,
 * Cyrillic, `½`): such a text is still UCS-2.
 */
export function transliterate(text: string): string {
  return text.replace(CHARACTERS, (character) => {
    const composed = character.normalize("NFC");
    return isGsm(composed) ? composed : (plain(character) ?? character);
  });
}

/** What stands for a character, or undefined where some of it would be outside the alphabet. */
function plain(character: string): string | undefined {
  const bare = LETTER_OR_DIGIT.test(character)
    ? character.normalize("NFKD").replace(ACCENTS, "")
    : character;
  const replaced = Array.from(bare, (it) => (SEPTETS.has(it) ? it : COUNTERPARTS.get(it)));
  return replaced.includes(undefined) ? undefined : replaced.join("");
}
