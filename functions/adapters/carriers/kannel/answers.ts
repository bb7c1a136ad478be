import type { SendOutcome } from "../../../core/carrier.ts";
import { type Exchange, UnclearAnswerError } from "./exchange.ts";

/** What an answer says of one SMS. */
export type Verdict =
  | Exclude<SendOutcome, { readonly kind: "accepted" }>
  | { readonly kind: "accepted" }
  /** Not taken, for it was not told who we are, or does not know us. */
  | { readonly kind: "unauthorized" };

/** What smsbox says, by the status that it says it with; the first that fits counts. */
const WORDS: readonly {
  readonly status: number;
  readonly words: RegExp;
  readonly verdict: Verdict;
}[] = [
  // `Sent.` is what it says with `immediate-sendsms-reply`, before bearerbox has heard of it.
  { status: 202, words: /^(?:0: |3: |Sent\.)/, verdict: { kind: "accepted" } },
  {
    status: 400,
    words: /^[^<]*\b(?:rejected|denied|not allowed)\b/i,
    verdict: {
      kind: "rejected",
      reason: "operator-rejected",
      detail: "Kannel refused the request",
    },
  },
  {
    status: 403,
    words: /^Not routable/i,
    verdict: { kind: "blocked", reason: "no-coverage" },
  },
  { status: 403, words: /^Authorization failed/i, verdict: { kind: "unauthorized" } },
  {
    status: 503,
    words: /^Temporal failure/i,
    verdict: { kind: "unreachable", detail: "Kannel takes nothing at the moment" },
  },
];

/**
 * Statuses that whoever is in front of a Kannel answers a request with instead of passing it on, or
 * Kannel itself at another URL. A 5xx is not among them: it may tell of an answer that was lost.
 */
const NOT_PASSED_ON = [400, 401, 403, 404, 405, 407, 411, 413, 414, 415, 417, 421, 426, 429, 431];

/**
 * What became of an SMS.
 * @throws UnclearAnswerError where the answer does not tell
 */
export function verdictOf(exchange: Exchange): Verdict {
  if (exchange.kind === "not-sent") return { kind: "unreachable", detail: exchange.cause };
  const { status, body } = exchange;
  const said = WORDS.find((it) => it.status === status && it.words.test(body));
  if (said) return said.verdict;
  const detail = `HTTP ${status}, and not in Kannel's words`;
  if (NOT_PASSED_ON.includes(status)) return { kind: "unreachable", detail };
  throw new UnclearAnswerError(detail);
}
