import { type AttributeValue, bytesOf, type Item, typeOf } from "./attribute-value.ts";
import { countSignificantDigits } from "./decimal.ts";

/** Of a list or map itself, and of each thing in it. */
const COLLECTION_BYTES = 3;
const ELEMENT_BYTES = 1;

const WRITE_UNIT_BYTES = 1_024;
const READ_UNIT_BYTES = 4_096;

/** The size of an item as DynamoDB bills it, in bytes: names count as much as values. */
export function sizeOfItem(item: Item): number {
  let bytes = 0;
  for (const name in item) {
    const value = item[name];
    if (value) bytes += Buffer.byteLength(name) + sizeOfValue(value);
  }
  return bytes;
}

/** The size of a value, in bytes. */
function sizeOfValue(value: AttributeValue): number {
  switch (typeOf(value)) {
    case "S":
      return Buffer.byteLength(value.S ?? "");
    case "N":
      return sizeOfNumber(value.N ?? "");
    case "B":
      return bytesOf(value.B ?? "").length;
    case "BOOL":
    case "NULL":
      return 1;
    case "SS":
      return total(value.SS ?? [], (it) => Buffer.byteLength(it));
    case "NS":
      return total(value.NS ?? [], sizeOfNumber);
    case "BS":
      return total(value.BS ?? [], (it) => bytesOf(it).length);
    case "L":
      return COLLECTION_BYTES + total(value.L ?? [], (it) => ELEMENT_BYTES + sizeOfValue(it));
    case "M": {
      const map = value.M ?? {};
      return COLLECTION_BYTES + ELEMENT_BYTES * Object.keys(map).length + sizeOfItem(map);
    }
  }
}

/** Two digits to the byte, those before and behind the point apart; one byte more, and one for a minus. */
function sizeOfNumber(number: string): number {
  const [whole, fraction] = countSignificantDigits(number);
  const sign = number.startsWith("-") ? 1 : 0;
  return 1 + Math.ceil(whole / 2) + Math.ceil(fraction / 2) + sign;
}

function total<T>(things: readonly T[], sizeOf: (thing: T) => number): number {
  let bytes = 0;
  for (const thing of things) bytes += sizeOf(thing);
  return bytes;
}

/** Units of writing so many bytes: one per begun KB, and one for nothing. */
export const writeUnitsOf = (bytes: number): number =>
  Math.max(1, Math.ceil(bytes / WRITE_UNIT_BYTES));

/** Units of reading so many bytes: one per begun 4 KB, and one for nothing; half of it where nobody asked for the latest. */
export const readUnitsOf = (bytes: number, isConsistent: boolean): number =>
  Math.max(1, Math.ceil(bytes / READ_UNIT_BYTES)) * (isConsistent ? 1 : 0.5);
