import { LRUCache } from "lru-cache";
import type { Account } from "./account.ts";
import type { Carrier, Lane, SendOutcome } from "./carrier.ts";
import { COUNTS_EVERY_MS, createCarrierCounter } from "./carrier-counter.ts";
import type {
  CarrierCounts,
  CarrierHealth,
  CarrierSlice,
  DemotionPolicy,
} from "./carrier-health.ts";
import { createCarrierKnowledge } from "./carrier-knowledge.ts";
import type { CarrierRate } from "./carrier-rate.ts";
import type { CarrierChange } from "./events.ts";
import type { Message } from "./message.ts";
import { countryOf } from "./numbers.ts";
import type { Clock, Directory, TimeLimit } from "./ports.ts";
import { carriersFor, drawOf, type Route } from "./routing.ts";
import { chooseSender } from "./sender-identity.ts";

/** A carrier that a message may be handed to, and from whom the message then comes. */
export interface Candidate {
  readonly carrier: Carrier;
  /** The carrier's default where absent. */
  readonly sender?: string;
  /** Whether this message is the one that a demoted carrier is tried with. */
  readonly isTrial?: boolean;
}

/** All carriers that the routes of a message name are gone: somebody has to change the routes, or the stage. */
export class NoSuchCarrierError extends Error {
  override readonly name = "NoSuchCarrierError";
}

/** How the hand-over of one SMS ended; `unclear` where the carrier may have it. */
export type HandOverResult = SendOutcome | { readonly kind: "unclear" };

/** The carriers of a stage, as dispatch uses them. */
export interface CarrierPool {
  /**
   * The carriers that a message may be handed to, best first; none where no route is for it.
   * @throws NoSuchCarrierError where routes are for it, and lead nowhere
   */
  candidatesFor(message: Message): Promise<readonly Candidate[]>;
  /**
   * Takes leave to hand SMS to a carrier.
   * @returns for how many there was leave within `waitMs`; for all or none where the carrier is
   *   handed messages as a whole
   */
  take(carrier: string, sms: number, waitMs: number): Promise<number>;
  /** Counts what became of SMS that were handed over at a time (milliseconds since the epoch). */
  note(carrier: string, results: readonly HandOverResult[], at: number): void;
  /**
   * Writes down what was counted, and judges the carriers by what all have: when no message waits
   * for it. Never throws, and takes a few seconds at most.
   */
  flush(): Promise<void>;
}

/** How the carriers fare, over all functions. */
export interface CarrierHealths {
  /** What is known of all carriers that anything is known of, and their slices since a time (milliseconds since the epoch). */
  load(since: number): Promise<{
    readonly healths: readonly CarrierHealth[];
    readonly slices: readonly CarrierSlice[];
  }>;
  /** Adds to the counts of a slice. */
  count(carrier: string, start: number, counts: CarrierCounts): Promise<void>;
  /** @returns false where somebody else has changed it since it was read */
  change(read: CarrierHealth, changed: CarrierHealth): Promise<boolean>;
}

/** The operators of phones, as far as anybody knows. */
export interface OperatorsOfPhones {
  /** @param phone E.164 without the plus sign */
  find(phone: string): Promise<string | undefined>;
}

/** A carrier of the stage, and what the stage says of it. */
export interface PooledCarrier {
  readonly carrier: Carrier;
  readonly rate: CarrierRate;
  /** From whom it lets messages come; anybody where it does not say. */
  readonly senders?: readonly string[] | undefined;
  readonly demotion: DemotionPolicy;
}

/** What a pool needs. */
export interface CarrierPoolDependencies {
  readonly carriers: readonly PooledCarrier[];
  /** Those of the stage, for accounts that have none of their own. */
  readonly routes: readonly Route[];
  readonly lane: Lane;
  readonly directory: Pick<Directory, "findAccount">;
  readonly operators: OperatorsOfPhones;
  readonly healths: CarrierHealths;
  /** Tells the world that a carrier was demoted or came back. @throws where it was not told */
  readonly tell: (change: CarrierChange) => Promise<void>;
  readonly clock: Clock;
  readonly timeLimit: TimeLimit;
  /** Hears of what went wrong beside the messages. */
  readonly onFailure: (what: string, error: unknown) => void;
}

/** How long a message waits for what is good to know, and can be done without. */
const PATIENCE_MS = 1_000;
/** How long the end of an invocation waits for the counts to be written. */
const COUNTING_MS = 3_000;
/** How many accounts are known for when the directory does not answer. */
const REMEMBERED = 1_000;

type RoutesOfAccount = Pick<Account, "routes" | "senders">;

/**
 * Chooses carriers by the routes of the account, or else of the stage. Carriers that are demoted
 * come last; when one may be tried again, one message is.
 */
export function createCarrierPool(deps: CarrierPoolDependencies): CarrierPool {
  const { carriers, lane, directory, operators, timeLimit, onFailure } = deps;
  const byName = new Map(carriers.map((pooled) => [pooled.carrier.name, pooled]));
  const knowledge = createCarrierKnowledge(deps);
  const counts = createCarrierCounter({ ...deps, everyMs: COUNTS_EVERY_MS });
  const known = new LRUCache<string, RoutesOfAccount>({ max: REMEMBERED });

  /** As they were, where the directory does not answer: what was accepted is not to wait for that. */
  async function accountOf(name: string): Promise<Partial<RoutesOfAccount>> {
    const before = known.get(name);
    try {
      const asked = directory.findAccount(name);
      const account = await (before ? timeLimit.within(PATIENCE_MS, asked) : asked);
      if (account) known.set(name, account);
      return account ?? {};
    } catch (error) {
      if (!before) throw error;
      onFailure("an account's routes are not known anew", error);
      return before;
    }
  }

  async function operatorOf(message: Message, routes: readonly Route[]) {
    if (message.operator || !routes.some(({ operator }) => operator)) return message.operator;
    try {
      return await timeLimit.within(PATIENCE_MS, operators.find(message.destination));
    } catch (error) {
      onFailure("a phone's operator is not known", error);
      return undefined;
    }
  }

  /** The carriers for a message that no carrier has had in hand. */
  async function namesFor(message: Message, routes: readonly Route[], country?: string) {
    const named = carriersFor(routes, {
      country,
      operator: await operatorOf(message, routes),
      subAccount: message.subAccount,
      lane,
      draw: drawOf(message.traceId),
    });
    const names = named.filter((name) => byName.has(name));
    if (names.length === 0 && named.length > 0) throw new NoSuchCarrierError(named.join(", "));
    return names;
  }

  /**
   * Parts of one message come from one carrier, or no phone puts them together. And where a function
   * died with a message in hand, the carrier may have it: no other is to have it, too.
   */
  function boundTo({ state, parts, carrier }: Message): string | undefined {
    const isHeld = state === "SENDING" || isBegun(parts);
    return isHeld && carrier !== undefined && byName.has(carrier) ? carrier : undefined;
  }

  /** Of parts that are out, a carrier that takes a whole message would send the text again. */
  const canGoOn = (message: Message, name: string) =>
    !isBegun(message.parts) || byName.get(name)?.carrier.takes === "parts";

  async function writeCounts(): Promise<void> {
    try {
      await timeLimit.within(COUNTING_MS, counts.flush());
    } catch (error) {
      onFailure("what carriers were handed is still being counted", error);
    }
  }

  return {
    async candidatesFor(message) {
      const { routes = deps.routes, senders = [] } = await accountOf(message.account);
      const country = countryOf(message.destination);
      const bound = boundTo(message);
      const { names, trial } = bound
        ? { names: [bound], trial: undefined }
        : await knowledge.inOrder(await namesFor(message, routes, country), message.carriersTried);
      const able = names.filter((name) => canGoOn(message, name));
      if (able.length === 0 && names.length > 0) throw new NoSuchCarrierError(names.join(", "));
      return able.flatMap((name) => {
        const pooled = byName.get(name);
        if (!pooled) return [];
        const sender = chooseSender(senders, pooled.senders, country);
        return [
          {
            carrier: pooled.carrier,
            ...(sender !== undefined && { sender }),
            ...(name === trial && { isTrial: true }),
          },
        ];
      });
    },

    async take(name, sms, waitMs) {
      const pooled = byName.get(name);
      if (!pooled) return sms;
      const leave = await pooled.rate.take(sms, waitMs);
      if (leave === 0 || leave === sms || pooled.carrier.takes === "parts") return leave;
      // It may be longer than what the carrier takes in all that time.
      await pooled.rate.owe(sms - leave);
      return sms;
    },

    note(carrier, results, at) {
      const ofCarrier = results.filter((result) => !isAboutMessage(result));
      if (ofCarrier.length === 0) return;
      counts.add(carrier, at, countsOf(ofCarrier));
      knowledge.endTrial(carrier, !ofCarrier.every(isFailure));
    },

    async flush() {
      await Promise.all([writeCounts(), knowledge.settle()]);
    },
  };
}

const isBegun = (parts: Message["parts"]) =>
  parts?.some(({ state }) => state !== "QUEUED") === true;

/** What is counted of SMS that were handed over together. */
const countsOf = (results: readonly HandOverResult[]): CarrierCounts => ({
  handedOver: results.length,
  failed: results.filter(isFailure).length,
  awaited: results.filter((it) => it.kind === "accepted" && it.receipts).length,
  prompt: 0,
});

const isFailure = ({ kind }: HandOverResult) => kind === "unreachable" || kind === "unclear";
const isAboutMessage = (result: HandOverResult) =>
  result.kind === "unreachable" && result.about === "message";
