/** What stands between two pairs of braces; a brace in between would begin another placeholder. */
const PLACEHOLDER = /\{\{([^{}]*)\}\}/g;

/** The most that values can add to a text, in UTF-16 code units: more than any message that is sent. */
const MAX_FILLED_IN = 2_000;

/** A text after `fillIn`. */
export interface FilledText {
  readonly text: string;
  /** Whether each placeholder has got a value, and each value a placeholder. */
  readonly matches: boolean;
}

/**
 * Puts values in place of a text's placeholders, `{{name}}` or `{{ name }}` (Wavy document,
 * `params`). Those without a value stay as they stand. Values are put in as they are: what looks
 * like a placeholder in one of them is none. All of them together add 2,000 characters at most,
 * which makes a text that is too long to be sent.
 */
export function fillIn(text: string, params: Readonly<Record<string, string>>): FilledText {
  const used = new Set<string>();
  let isComplete = true;
  let room = MAX_FILLED_IN;
  const filled = text.replace(PLACEHOLDER, (placeholder, between: string) => {
    const name = between.trim();
    if (name === "") return placeholder;
    const value = Object.hasOwn(params, name) ? params[name] : undefined;
    if (value === undefined) {
      isComplete = false;
      return placeholder;
    }
    used.add(name);
    const fitting = value.slice(0, room);
    room -= fitting.length;
    return fitting;
  });
  return { text: filled, matches: isComplete && used.size === Object.keys(params).length };
}
