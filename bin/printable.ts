/** Without control characters: what clients send must not move the terminal's cursor. */
export function printable(text: string): string {
  return text.replaceAll(/\p{C}/gu, "?");
}
