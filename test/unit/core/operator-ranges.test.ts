import fc from "fast-check";
import { expect, it } from "vitest";
import { operatorByRange } from "../../../functions/core/operator-ranges.ts";

const RANGES = { "5511": "Vivo", "55119": "Claro", "551198765": "TIM", "351": "MEO" };

it.each([
  ["5511987654321", "TIM"],
  ["5511912345678", "Claro"],
  ["5511812345678", "Vivo"],
  ["551198765", "TIM"],
  ["351912345678", "MEO"],
  ["5521987654321", undefined],
  ["55", undefined],
  ["", undefined],
])("finds the operator of %j by the longest range that it is in", (phone, operator) => {
  expect(operatorByRange(() => RANGES)(phone)).toBe(operator);
});

it("reads the ranges when it is first asked, and once", () => {
  let reads = 0;
  const find = operatorByRange(() => {
    reads += 1;
    return RANGES;
  });
  expect(reads).toBe(0);
  find("5511987654321");
  find("351912345678");
  expect(reads).toBe(1);
});

it.each([[{ "55x": "Vivo" }], [{ "55": "" }], [{ "55": 1 }], [[]], ["ranges"]])(
  "does not guess at ranges that are none: %j",
  (ranges) => {
    expect(() => operatorByRange(() => ranges)("5511987654321")).toThrow();
  },
);

it("finds what trying every range finds", () => {
  const digits = fc.string({ unit: fc.constantFrom(..."0123"), minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(fc.dictionary(digits, fc.constantFrom("a", "b", "c")), digits, (ranges, phone) => {
      const [longest] = Object.keys(ranges)
        .filter((range) => phone.startsWith(range))
        .sort((one, other) => other.length - one.length);
      const expected = longest === undefined ? undefined : ranges[longest];
      expect(operatorByRange(() => ranges)(phone)).toBe(expected);
    }),
  );
});
