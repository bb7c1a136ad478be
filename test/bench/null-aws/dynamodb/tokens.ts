import { invalid } from "../aws-error.ts";

/** `alias` is `#name`, `value` is `:value`, `parameter` is `?`, `text` is in single, `quoted` in double quotes. */
export type TokenKind =
  | "name"
  | "alias"
  | "value"
  | "quoted"
  | "text"
  | "parameter"
  | "number"
  | "punctuation"
  | "end";

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

/** What expressions are made of. */
const EXPRESSION =
  /\s*(?:(?<name>[A-Za-z_]\w*)|(?<alias>#[\w-]+)|(?<value>:[\w-]+)|(?<number>\d+)|(?<punctuation><>|<=|>=|[=<>()[\],.+-]))/y;

/** What statements are made of. */
const STATEMENT =
  /\s*(?:(?<name>[A-Za-z_]\w*)|"(?<quoted>(?:[^"]|"")*)"|'(?<text>(?:[^']|'')*)'|(?<parameter>\?)|(?<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?<punctuation><<|>>|<>|<=|>=|!=|[=<>()[\]{},.:*+-]))/y;

const END: Token = { kind: "end", text: "" };

/** A text as words, to be read one after the other. */
export class Tokens {
  readonly all: readonly Token[];
  readonly #what: string;
  #next = 0;

  /** @param what the text is, in the message of an error */
  private constructor(text: string, pattern: RegExp, what: string) {
    this.#what = what;
    this.all = [...this.#read(text, new RegExp(pattern))];
  }

  /** @throws AwsError for a text that is made of something else */
  static ofExpression(text: string, what: string): Tokens {
    return new Tokens(text, EXPRESSION, `Invalid ${what}: Syntax error`);
  }

  /** @throws AwsError for a text that is made of something else */
  static ofStatement(text: string): Tokens {
    return new Tokens(text, STATEMENT, "Statement wasn't well formed, can't be processed");
  }

  *#read(text: string, pattern: RegExp): Generator<Token> {
    const end = text.trimEnd().length;
    while (pattern.lastIndex < end) {
      const { lastIndex } = pattern;
      const groups = pattern.exec(text)?.groups;
      if (!groups) throw invalid(`${this.#what}; near: "${text.slice(lastIndex, lastIndex + 20)}"`);
      for (const kind in groups) {
        const word = groups[kind];
        if (word !== undefined) yield { kind: kind as TokenKind, text: unescaped(kind, word) };
      }
    }
  }

  /** The token that is read next, or one further on. */
  peek(ahead = 0): Token {
    return this.all[this.#next + ahead] ?? END;
  }

  take(): Token {
    const token = this.peek();
    this.#next += 1;
    return token;
  }

  /** Whether a word of the language, in any case, or a sign comes next. */
  isNext(word: string, ahead = 0): boolean {
    const { kind, text } = this.peek(ahead);
    if (kind === "punctuation") return text === word;
    return kind === "name" && text.toUpperCase() === word;
  }

  /** Takes a word or sign if it comes next. */
  accept(word: string): boolean {
    const isNext = this.isNext(word);
    if (isNext) this.#next += 1;
    return isNext;
  }

  /** @throws AwsError where something else comes next */
  expect(...words: readonly string[]): void {
    for (const word of words) if (!this.accept(word)) throw this.problem();
  }

  /** @throws AwsError where something else comes next */
  expectEnd(): void {
    if (this.peek().kind !== "end") throw this.problem();
  }

  /** What to throw where nothing should be like what comes next. */
  problem(): Error {
    return invalid(`${this.#what}; token: "${this.peek().text || "<EOF>"}"`);
  }

  /** Things with commas between them. */
  list<T>(read: () => T): T[] {
    const things = [read()];
    while (this.accept(",")) things.push(read());
    return things;
  }
}

function unescaped(kind: string, word: string): string {
  if (kind === "quoted") return word.replaceAll('""', '"');
  return kind === "text" ? word.replaceAll("''", "'") : word;
}
