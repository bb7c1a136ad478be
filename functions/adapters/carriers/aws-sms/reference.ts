import { type MessageRef, messageRefSchema } from "../../../core/message.ts";

/** What the service keeps of a message for us, and gives back with each of its events ("Context"). */
type Context = Readonly<Record<string, string>>;

const KEYS = {
  account: "torpedo-account",
  id: "torpedo-id",
  traceId: "torpedo-trace",
} as const satisfies Record<keyof MessageRef, string>;

/** The longest value of a context. */
const MAX_VALUE_LENGTH = 800;

/**
 * The context that stands for a message: three of the five entries that the service takes. Values
 * must not begin or end with white space, which ids of clients may; so they are percent-encoded,
 * and stay legible where they are ordinary.
 * @returns undefined where the service would not take it
 */
export function contextOf(ref: MessageRef): Context | undefined {
  try {
    const entries = Object.entries(KEYS).map(
      ([name, key]) => [key, encodeURIComponent(ref[name as keyof MessageRef])] as const,
    );
    const fits = entries.every(([, { length }]) => length > 0 && length <= MAX_VALUE_LENGTH);
    return fits ? Object.fromEntries(entries) : undefined;
  } catch {
    // Half of a surrogate pair has no encoding.
    return undefined;
  }
}

/**
 * The message that a context stands for.
 * @returns undefined where it is of somebody else, who sends with our configuration set
 * @throws Error where it is ours, and cannot be read
 */
export function refOf(context: Context): MessageRef | undefined {
  if (!Object.values(KEYS).some((key) => key in context)) return undefined;
  const decoded = Object.entries(KEYS).map(([name, key]) => [
    name,
    decodeURIComponent(context[key] ?? ""),
  ]);
  return messageRefSchema.parse(Object.fromEntries(decoded));
}
