import {
  type CountryCode,
  isSupportedCountry,
  type PhoneNumber,
  parsePhoneNumberFromString,
} from "libphonenumber-js/mobile";

/** Digits with the punctuation people write between them, and an optional plus sign in front. */
const WRITTEN_NUMBER = /^[+(]?\s*\d[\d\s().-]*$/;

/**
 * A number of Brazil's old numbering: area, then eight digits of which the first is 6–9. Mobile
 * numbers got a 9 in front of these between 2012 and 2016; client databases still hold the old form.
 */
const OLD_BRAZILIAN_MOBILE = /^(?<area>[1-9][1-9])(?<subscriber>[6-9]\d{7})$/;

/**
 * Reads a destination as clients write it: with or without `+`, country code, spaces, dashes and
 * parentheses. Without a country code it is a number of `country`; where digits could be read
 * both ways, the number of the account's own country wins.
 *
 * @param written what the client sent
 * @param country the account's default country, ISO 3166-1 alpha-2
 * @returns E.164 without the plus sign, or undefined where this is not a valid mobile number
 */
export function parseMobileNumber(written: string, country: string): string | undefined {
  const trimmed = written.trim();
  if (!WRITTEN_NUMBER.test(trimmed)) return undefined;
  if (trimmed.startsWith("+")) return mobile(trimmed);
  const digits = trimmed.replace(/\D/g, "");
  return (
    (isSupportedCountry(country) ? mobile(digits, country) : undefined) ?? mobile(`+${digits}`)
  );
}

function mobile(written: string, country?: CountryCode): string | undefined {
  const parsed = parsePhoneNumberFromString(written, {
    ...(country && { defaultCountry: country }),
    extract: false,
  });
  const complete = parsed?.countryCallingCode === "55" ? withNinthDigit(parsed) : parsed;
  return complete?.isValid() ? complete.number.slice(1) : undefined;
}

/**
 * libphonenumber still takes eight digits that begin with 7 for those of a radio network that is
 * gone; every mobile number of Brazil has nine.
 */
function withNinthDigit(parsed: PhoneNumber): PhoneNumber | undefined {
  const old = OLD_BRAZILIAN_MOBILE.exec(parsed.nationalNumber)?.groups;
  return old ? parsePhoneNumberFromString(`+55${old.area}9${old.subscriber}`) : parsed;
}

/** Whether `country` is an ISO 3166-1 alpha-2 code whose numbers can be read. */
export function isCountry(country: string): country is CountryCode {
  return isSupportedCountry(country);
}

/**
 * The country of a number.
 * @param number E.164 without the plus sign
 * @returns ISO 3166-1 alpha-2, or undefined where it is of none
 */
export function countryOf(number: string): string | undefined {
  return parsePhoneNumberFromString(`+${number}`)?.country;
}
