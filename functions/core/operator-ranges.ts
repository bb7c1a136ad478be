import * as z from "zod";

/** Operators by the beginnings of the numbers that they were given, country code included. */
const rangesSchema = z.record(z.string().regex(/^\d+$/), z.string().min(1));

/**
 * Finds operators by the ranges of the numbering plan. People take their numbers with them when they
 * change operators, so this is where a number was once given out, and often no more than that.
 *
 * @param ranges operator by beginning of number, the longest that fits counts; read at first use
 * @returns a function from a phone (E.164 without the plus sign) to its operator, if it is in a range
 */
export function operatorByRange(ranges: () => unknown): (phone: string) => string | undefined {
  let known: ReadonlyMap<string, string> | undefined;
  return (phone) => {
    known ??= new Map(Object.entries(rangesSchema.parse(ranges())));
    for (let length = phone.length; length > 0; length -= 1) {
      const operator = known.get(phone.slice(0, length));
      if (operator !== undefined) return operator;
    }
    return undefined;
  };
}
