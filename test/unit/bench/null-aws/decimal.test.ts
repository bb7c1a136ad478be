import fc from "fast-check";
import { expect, test } from "vitest";
import { add, compareNumbers, subtract } from "../../../bench/null-aws/dynamodb/decimal.ts";

/** Hundredths, and how DynamoDB would write them. */
const hundredths = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n });

function written(value: bigint): string {
  const digits = String(value < 0n ? -value : value).padStart(3, "0");
  const text = `${digits.slice(0, -2)}.${digits.slice(-2)}`.replace(/\.?0+$/, (zeros) =>
    zeros.startsWith(".") ? "" : zeros.replace(/0+$/, ""),
  );
  return value < 0n ? `-${text}` : text;
}

test("decimals are added, subtracted and compared to the last digit", () => {
  fc.assert(
    fc.property(hundredths, hundredths, (one, other) => {
      expect(add(written(one), written(other))).toBe(written(one + other));
      expect(subtract(written(one), written(other))).toBe(written(one - other));
      expect(Math.sign(compareNumbers(written(one), written(other)))).toBe(
        one === other ? 0 : one < other ? -1 : 1,
      );
    }),
  );
});

test.each([
  ["0.1", "0.2", "0.3"],
  ["1e3", "1", "1001"],
  ["5E-1", "0.5", "1"],
  ["999999999999999", "1", "1000000000000000"],
  ["-1", "1", "0"],
])("%s and %s are %s", (one, other, sum) => {
  expect(add(one, other)).toBe(sum);
});
