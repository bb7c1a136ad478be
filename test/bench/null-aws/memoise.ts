/** More texts than any program has expressions; one that makes them up shall not eat all memory. */
const MAX_REMEMBERED = 10_000;

/** The same function, that does its work once per text. What throws is tried anew each time. */
export function memoise<T>(read: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const result = read(text);
    if (known.size >= MAX_REMEMBERED) known.clear();
    known.set(text, result);
    return result;
  };
}
