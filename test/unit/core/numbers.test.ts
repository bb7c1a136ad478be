import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { maskNumber } from "../../../functions/core/message.ts";
import { parseMobileNumber } from "../../../functions/core/numbers.ts";

describe("parseMobileNumber", () => {
  it.each([
    ["as the documents write it", "5519900001111", "5519900001111"],
    ["with a plus sign", "+5519900001111", "5519900001111"],
    ["with spaces, dashes and parentheses", "+55 (19) 90000-1111", "5519900001111"],
    ["with dots", "55.19.90000.1111", "5519900001111"],
    ["without country code", "19900001111", "5519900001111"],
    ["without country code, in the area whose code is Brazil's", "55999887766", "5555999887766"],
    ["of eight digits", "555199887766", "5551999887766"],
    ["of eight digits without country code", "5199887766", "5551999887766"],
    ["of eight digits, with punctuation", "+55 51 9195-1711", "5551991951711"],
    ["of another country", "+351 912 345 678", "351912345678"],
    ["of another country without plus sign", "14155552671", "14155552671"],
  ])("reads a number %s", (_, written, expected) => {
    expect(parseMobileNumber(written, "BR")).toBe(expected);
  });

  it.each([
    ["nothing", ""],
    ["letters", "callme"],
    ["a number with an extension", "5519900001111 ext. 5"],
    ["too few digits", "551990000"],
    ["too many digits", "55199000011112222"],
    ["a fixed line", "551132654321"],
    ["an area that does not exist", "5510900001111"],
    ["a short code", "27182"],
    ["an emoji", "📱5519900001111"],
    ["a minus sign", "-5519900001111"],
    ["two plus signs", "++5519900001111"],
    ["other digits", "٥٥١٩٩٠٠٠٠١١١١"],
  ])("refuses %s", (_, written) => {
    expect(parseMobileNumber(written, "BR")).toBeUndefined();
  });

  it("fills in the country of the account", () => {
    expect(parseMobileNumber("912345678", "PT")).toBe("351912345678");
    expect(parseMobileNumber("5519900001111", "PT")).toBe("5519900001111");
    expect(parseMobileNumber("912345678", "BR")).toBeUndefined();
  });

  const area = fc.constantFrom("11", "19", "21", "31", "51", "55", "85", "92");
  const subscriber = fc.stringMatching(/^9[6-9]\d{7}$/);

  it("reads a Brazilian mobile number however it is punctuated", () => {
    const separators = fc.array(fc.constantFrom("", " ", "-", ".", "(", ")"), {
      minLength: 13,
      maxLength: 13,
    });
    fc.assert(
      fc.property(area, subscriber, separators, (a, s, between) => {
        const digits = `55${a}${s}`;
        const written = [...digits].map((digit, i) => `${digit}${between[i]}`).join("");
        return parseMobileNumber(written, "BR") === digits;
      }),
    );
  });

  it("reads the old form, the national form and the full form as one number", () => {
    fc.assert(
      fc.property(area, subscriber, (a, s) => {
        const full = `55${a}${s}`;
        const forms = [full, `${a}${s}`, `55${a}${s.slice(1)}`, `${a}${s.slice(1)}`];
        return forms.every((form) => parseMobileNumber(form, "BR") === full);
      }),
    );
  });

  it("never throws, and answers only digits", () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom("BR", "PT", "ZZ", ""), (written, country) => {
        const parsed = parseMobileNumber(written, country);
        return parsed === undefined || /^\d{6,15}$/.test(parsed);
      }),
    );
  });
});

describe("maskNumber", () => {
  it.each([
    ["5519900001111", "55199****1111"],
    ["551990000111", "55199***0111"],
    ["1234567890", "12345*7890"],
    ["123456789", "*****6789"],
    ["12345678", "****5678"],
    ["123", "**3"],
    ["1", "*"],
    ["", ""],
  ])("shows of %s only %s", (number, shown) => {
    expect(maskNumber(number)).toBe(shown);
  });
});
