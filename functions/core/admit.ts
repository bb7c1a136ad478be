import {
  type MessageMaking,
  refuseOrStore,
  type SendRequest,
  type SendResult,
} from "./accept-message.ts";
import type { Account } from "./account.ts";
import type { BlockedNumbers } from "./blocked-number.ts";
import { isFinal } from "./lifecycle.ts";
import { calendarOf, isLimited, type UsageCounters, type UsageRequest } from "./limits.ts";
import type { Message } from "./message.ts";
import { partCount } from "./parts.ts";

/** What deciding whether messages may be sent takes. */
export interface AdmissionDependencies extends MessageMaking {
  readonly blockedNumbers: Pick<BlockedNumbers, "findBlocked">;
  readonly usage: Pick<UsageCounters, "take" | "giveBack">;
  /** Hears of what could not be given back: the counters are too high by it. */
  readonly onNotGivenBack?: (error: unknown) => void;
}

/** Messages that may be sent, among those that may not. */
export interface Admission {
  /** Of each request, in order. */
  readonly results: readonly SendResult[];
  /**
   * Gives back what was counted for those of these messages that were, since they are not sent after all. Where that
   * fails the counters hold a message too many, never one too few.
   */
  giveBack(messages: readonly Message[]): Promise<void>;
}

/**
 * Lets those messages through whose number is not blocked, as far as the limits of their account
 * and sub-account go; the first ones first. What is let through has been counted.
 *
 * @param made what was made of each request, in the same order
 * @throws whatever a store throws; nothing has been counted then
 */
export async function admit(
  deps: AdmissionDependencies,
  account: Account,
  requests: readonly SendRequest[],
  made: readonly SendResult[],
): Promise<Admission> {
  const allowed = await withoutBlocked(deps, account, requests, made);
  return withinLimits(deps, account, requests, allowed);
}

const isToBeSent = (result: SendResult | undefined): result is SendResult & { accepted: true } =>
  result?.accepted === true && !isFinal(result.message.state);

const messagesToBeSent = (results: readonly SendResult[]) =>
  results.filter(isToBeSent).map(({ message }) => message);

/**
 * Refuses those messages whose number is blocked.
 * @throws whatever the store throws
 */
export async function withoutBlocked(
  deps: AdmissionDependencies,
  account: Account,
  requests: readonly SendRequest[],
  made: readonly SendResult[],
): Promise<SendResult[]> {
  const numbers = new Set(messagesToBeSent(made).map(({ destination }) => destination));
  if (numbers.size === 0) return [...made];
  const subAccount = requests[0]?.subAccount?.subAccount;
  const blocked = await deps.blockedNumbers.findBlocked(account.account, subAccount, [...numbers]);
  return made.map((result, index) => {
    const reason = isToBeSent(result) && blocked.get(result.message.destination);
    return reason ? refuseOrStore(deps, account, requests[index] as SendRequest, reason) : result;
  });
}

/** Tries at fitting into limits that others are using up at the same time. */
const MAX_TRIES = 5;

/**
 * Refuses those messages that the limits of their account and sub-account do not allow any more; the
 * others have been counted.
 * @throws whatever the store throws; nothing has been counted then
 */
export async function withinLimits(
  deps: AdmissionDependencies,
  account: Account,
  requests: readonly SendRequest[],
  results: readonly SendResult[],
): Promise<Admission> {
  const counters = countersOf(deps, account, requests[0]);
  if (counters.length === 0) return { results, giveBack: async () => {} };
  const wanted = messagesToBeSent(results);
  let fitting = new Set(wanted);
  let room = Number.POSITIVE_INFINITY;
  let taken: UsageRequest[] | undefined;
  for (let tries = 0; tries < MAX_TRIES && fitting.size > 0 && !taken; tries++) {
    const outcome = await takeAll(deps, counters, totalParts([...fitting]));
    if (Array.isArray(outcome)) {
      taken = outcome;
    } else {
      room = Math.min(room, outcome.left);
      fitting = firstThatFit(wanted, room);
    }
  }
  const admitted = taken ? fitting : new Set<Message>();
  const counted = new Set([...admitted].map(({ traceId }) => traceId));
  return {
    results: results.map((result, index) =>
      isToBeSent(result) && !admitted.has(result.message)
        ? refuseOrStore(deps, account, requests[index] as SendRequest, "account-limit")
        : result,
    ),
    giveBack: async (messages) => {
      const parts = totalParts(messages.filter(({ traceId }) => counted.has(traceId)));
      if (parts > 0)
        await giveBackAll(
          deps,
          (taken ?? []).map((take) => ({ ...take, parts })),
        );
    },
  };
}

type Counter = Pick<UsageRequest, "owner" | "limits" | "day" | "month">;

/** The counters that a request's messages go into; the sub-account's before the account's. */
function countersOf(
  { clock }: AdmissionDependencies,
  account: Account,
  request: SendRequest | undefined,
): Counter[] {
  const today = calendarOf(clock.now(), account.timeZone);
  const owners = [
    request?.subAccount && {
      owner: { account: account.account, subAccount: request.subAccount.subAccount },
      limits: request.subAccount.limits,
    },
    { owner: { account: account.account }, limits: account.limits },
  ];
  return owners.flatMap((owner) =>
    owner && isLimited(owner.limits) ? [{ ...owner, ...today }] : [],
  );
}

const totalParts = (messages: readonly Message[]) =>
  messages.reduce((parts, message) => parts + partCount(message), 0);

/** Counts in every counter or in none. */
async function takeAll(
  deps: AdmissionDependencies,
  counters: readonly Counter[],
  parts: number,
): Promise<UsageRequest[] | { readonly left: number }> {
  const taken: UsageRequest[] = [];
  try {
    for (const counter of counters) {
      const request = { ...counter, parts, token: deps.randomness.uuid() };
      const outcome = await deps.usage.take(request);
      if (!outcome.taken) {
        await giveBackAll(deps, taken);
        return outcome;
      }
      taken.push(request);
    }
    return taken;
  } catch (error) {
    await giveBackAll(deps, taken);
    throw error;
  }
}

async function giveBackAll(
  { usage, randomness, onNotGivenBack }: AdmissionDependencies,
  taken: readonly UsageRequest[],
): Promise<void> {
  await Promise.all(
    taken.map((request) =>
      usage
        .giveBack({ ...request, token: randomness.uuid() })
        .catch((error) => onNotGivenBack?.(error)),
    ),
  );
}

/** The messages that fit into so many parts, in order; a shorter one may fit where a longer one did not. */
function firstThatFit(messages: readonly Message[], parts: number): Set<Message> {
  let left = parts;
  return new Set(
    messages.filter((message) => {
      const fits = partCount(message) <= left;
      if (fits) left -= partCount(message);
      return fits;
    }),
  );
}
