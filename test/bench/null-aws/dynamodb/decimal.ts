/** A number of DynamoDB's as digits and how many of them are behind the point. */
interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

const NUMBER = /^(?<sign>[+-]?)(?<whole>\d*)(?:\.(?<fraction>\d*))?(?:[eE](?<exponent>[+-]?\d+))?$/;
/** Integers that JavaScript adds without losing any of it. */
const SMALL_INTEGER = /^-?\d{1,15}$/;

/** @returns the sum, as DynamoDB writes it */
export function add(one: string, other: string): string {
  if (SMALL_INTEGER.test(one) && SMALL_INTEGER.test(other)) {
    return String(Number(one) + Number(other));
  }
  const [a, b] = aligned(one, other);
  return written({ digits: a.digits + b.digits, scale: a.scale });
}

/** @returns the difference, as DynamoDB writes it */
export function subtract(one: string, other: string): string {
  return add(one, other.startsWith("-") ? other.slice(1) : `-${other.replace(/^\+/, "")}`);
}

/** @returns less than 0, 0 or more than 0, as of any comparison */
export function compareNumbers(one: string, other: string): number {
  if (one === other) return 0;
  const difference = Number(one) - Number(other);
  if (difference !== 0 || (one.length <= 15 && other.length <= 15)) return difference;
  const [a, b] = aligned(one, other);
  return a.digits === b.digits ? 0 : a.digits < b.digits ? -1 : 1;
}

/**
 * How many digits of a number count, before and behind the point: those between the first and the
 * last one that is not zero.
 */
export function countSignificantDigits(number: string): readonly [whole: number, fraction: number] {
  const plain = /[eE]/.test(number) ? written(parse(number)) : number;
  const [whole = "", fraction = ""] = plain.replace(/^[+-]/, "").split(".");
  const left = whole.replace(/^0+/, "");
  const right = fraction.replace(/0+$/, "");
  if (right === "") return [left.replace(/0+$/, "").length, 0];
  return left === "" ? [0, right.replace(/^0+/, "").length] : [left.length, right.length];
}

function aligned(one: string, other: string): [Decimal, Decimal] {
  const a = parse(one);
  const b = parse(other);
  const scale = Math.max(a.scale, b.scale);
  return [rescaled(a, scale), rescaled(b, scale)];
}

const rescaled = ({ digits, scale }: Decimal, to: number): Decimal => ({
  digits: digits * 10n ** BigInt(to - scale),
  scale: to,
});

function parse(number: string): Decimal {
  const groups = NUMBER.exec(number)?.groups;
  if (!groups) throw new Error(`this is no number: ${number}`);
  const { sign = "", whole = "", fraction = "", exponent = "0" } = groups;
  const scale = fraction.length - Number(exponent);
  const digits = BigInt(`${sign === "-" ? "-" : ""}${whole}${fraction}` || "0");
  return scale < 0 ? { digits: digits * 10n ** BigInt(-scale), scale: 0 } : { digits, scale };
}

function written({ digits, scale }: Decimal): string {
  const sign = digits < 0n ? "-" : "";
  const text = String(digits < 0n ? -digits : digits).padStart(scale + 1, "0");
  if (scale === 0) return sign + text;
  const fraction = text.slice(-scale).replace(/0+$/, "");
  return `${sign}${text.slice(0, -scale)}${fraction && `.${fraction}`}`;
}
