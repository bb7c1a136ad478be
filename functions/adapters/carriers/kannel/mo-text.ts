/** Kannel's codings: how the bytes of an SMS stand for its text. */
const EIGHT_BIT = 1;
const UCS2 = 2;

/** Before a text, to say which byte of two comes first. */
const BYTE_ORDER_MARK = /^\ufeff/;

/**
 * The text of an MO. Whatever the bytes, there is one: of what is not in the encoding that Kannel
 * says, each byte is read as a character of ISO 8859-1, so that nothing is lost.
 *
 * @param coding Kannel's: 0 for what it has made text of, 1 for bytes, 2 for UCS-2
 * @param charset what Kannel says that the bytes are in
 * @returns half of a character at either end stays what it is
 */
export function decodeText(bytes: Buffer, coding: number, charset: string): string {
  if (coding === UCS2 && /^(?:utf-?16(?:be)?|ucs-?2)?$/i.test(charset)) return decodeUcs2(bytes);
  if (coding === EIGHT_BIT) return bytes.toString("latin1");
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch {
    return bytes.toString("latin1");
  }
}

/** Not by `TextDecoder`, which replaces halves of characters. Half a code unit at the end is dropped. */
function decodeUcs2(bytes: Buffer): string {
  const whole = Buffer.from(bytes.subarray(0, bytes.length & ~1));
  return whole.swap16().toString("utf16le").replace(BYTE_ORDER_MARK, "");
}
