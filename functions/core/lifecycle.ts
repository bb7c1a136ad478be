/**
 * The lifecycle of an MT, as data. Everything that changes a message's state asks this table;
 * everything that reads one uses `isFinal` to know whether more is to come.
 */

/** The canonical states of an MT. Dialects translate them at their edge, never in between. */
export const STATES = [
  "SCHEDULED",
  "QUEUED",
  "SENDING",
  "SENT",
  "DELIVERED",
  "NOT_DELIVERED",
  "CANCELED",
  "BLOCKED",
  "EXPIRED",
  "FAILED",
] as const;
export type State = (typeof STATES)[number];

/**
 * From each state, the states that may follow.
 *
 * SENDING → BLOCKED is there because it is the carrier that knows its coverage and its forbidden
 * content, and it says so in its answer to the hand-over (docs/decisions/0003). SCHEDULED → BLOCKED
 * because a number can be blocked while its message waits (docs/decisions/0014).
 */
export const TRANSITIONS: Readonly<Record<State, readonly State[]>> = {
  SCHEDULED: ["QUEUED", "CANCELED", "BLOCKED"],
  QUEUED: ["SENDING", "BLOCKED", "EXPIRED"],
  SENDING: ["SENT", "QUEUED", "FAILED", "BLOCKED"],
  SENT: ["DELIVERED", "NOT_DELIVERED"],
  DELIVERED: [],
  NOT_DELIVERED: [],
  CANCELED: [],
  BLOCKED: [],
  EXPIRED: [],
  FAILED: [],
};

/** Why a message is in its state, for the states that can be reached for several reasons. */
export const REASONS = {
  SENT: ["no-receipts"],
  NOT_DELIVERED: ["operator-expired", "inactive-number", "undeliverable"],
  BLOCKED: [
    "no-coverage",
    "international-not-allowed",
    "block-list",
    "opt-out",
    "invalid-number",
    "invalid-message",
    "content",
    "account-limit",
  ],
  FAILED: ["operator-rejected", "operator-unreachable", "internal-error"],
} as const satisfies Partial<Record<State, readonly string[]>>;
export type ReasonFor<S extends keyof typeof REASONS> = (typeof REASONS)[S][number];
export type Reason = ReasonFor<keyof typeof REASONS>;

/** All reasons, for schemas. */
export const ALL_REASONS: readonly [Reason, ...Reason[]] = [
  ...REASONS.SENT,
  ...REASONS.NOT_DELIVERED,
  ...REASONS.BLOCKED,
  ...REASONS.FAILED,
];

/** Whether `to` may directly follow `from`. */
export function canMove(from: State, to: State): boolean {
  return TRANSITIONS[from].includes(to);
}

/**
 * Whether nothing more will be reported about a message in this state. SENT is the last word
 * where the operator gives no receipts.
 */
export function isFinal(state: State, reason?: Reason): boolean {
  return TRANSITIONS[state].length === 0 || (state === "SENT" && reason === "no-receipts");
}

/**
 * The states a message passes on its way from `from` to `to`, without `from` itself; undefined
 * where the table has no way. A receipt implies acceptance, so one that comes early moves its
 * message through every state in between.
 */
export function pathBetween(from: State, to: State): State[] | undefined {
  const paths: State[][] = [[from]];
  const seen = new Set<State>([from]);
  for (const path of paths) {
    const last = path.at(-1) as State;
    if (last === to) return path.slice(1);
    for (const next of TRANSITIONS[last]) {
      if (seen.has(next)) continue;
      seen.add(next);
      paths.push([...path, next]);
    }
  }
  return undefined;
}
