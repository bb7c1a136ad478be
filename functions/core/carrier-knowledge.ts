import type { Lane } from "./carrier.ts";
import {
  afterTrial,
  asTold,
  type CarrierHealth,
  type CarrierSlice,
  complaintOf,
  demoted,
  goodCarrier,
  isDueForTrial,
  onTrial,
  sliceMemoryMs,
} from "./carrier-health.ts";
import type { CarrierHealths, PooledCarrier } from "./carrier-pool.ts";
import type { CarrierChange } from "./events.ts";
import type { Clock, TimeLimit } from "./ports.ts";

/** How long messages wait to hear of the carriers' health, or for the right to try one. */
const HEARING_MS = 1_000;
/** For how long what is known of the carriers' health is believed. */
const HEALTH_MS = 2_000;
/** How long the end of an invocation waits for what concerns the carriers. */
const SETTLING_MS = 3_000;
/** For how long a bus that did not take an event, or has not answered yet, is left alone. */
const LEFT_ALONE_MS = 30_000;
/** Single messages, one-time passwords among them, leave it to bulk for so long to try a carrier. */
const SINGLES_GRACE_MS = 10_000;

/** What a function needs to know the carriers' health, and to change it. */
export interface CarrierKnowledgeDependencies {
  readonly carriers: readonly PooledCarrier[];
  readonly lane: Lane;
  readonly healths: CarrierHealths;
  readonly tell: (change: CarrierChange) => Promise<void>;
  readonly clock: Clock;
  readonly timeLimit: TimeLimit;
  readonly onFailure: (what: string, error: unknown) => void;
}

/** What all functions know of the carriers together, as far as one of them has heard. */
export interface CarrierKnowledge {
  /**
   * Carriers in the order in which a message is to try them: those that are well and have not failed
   * it before first, those that are demoted last. But before all, the one that it is to try out.
   */
  inOrder(
    names: readonly string[],
    failed?: readonly string[],
  ): Promise<{ readonly names: readonly string[]; readonly trial: string | undefined }>;
  /** Hears how the trial ended that this function has begun with a carrier, if it has. */
  endTrial(name: string, hasTaken: boolean): void;
  /** Writes down what trials have shown, judges the carriers, and tells of changes. Never throws. */
  settle(): Promise<void>;
}

/** Hears of the carriers' health before messages, and changes it after them. */
export function createCarrierKnowledge({
  carriers,
  lane,
  healths,
  tell,
  clock,
  timeLimit,
  onFailure,
}: CarrierKnowledgeDependencies): CarrierKnowledge {
  const memoryMs = Math.max(...carriers.map(({ demotion }) => sliceMemoryMs(demotion)));
  const known = new Map<string, CarrierHealth>();
  /** Carriers that this function tries with a message. */
  const tried = new Map<string, CarrierHealth>();
  /** What their messages have shown. */
  const ended: CarrierHealth[] = [];
  /** What was heard, and nobody has been judged by yet. */
  let unjudged: readonly CarrierSlice[] | undefined;
  let heardAt = Number.NEGATIVE_INFINITY;
  let hearing: Promise<void> | undefined;
  /** When the bus was last asked to take an event, where it has not. */
  let askedInVainAt = Number.NEGATIVE_INFINITY;

  async function change(read: CarrierHealth, changed: CarrierHealth): Promise<boolean> {
    const isOurs = await healths.change(read, changed);
    if (isOurs) known.set(read.carrier, changed);
    return isOurs;
  }

  async function hear(): Promise<void> {
    try {
      const heard = await timeLimit.within(HEARING_MS, healths.load(clock.now() - memoryMs));
      for (const health of heard.healths) known.set(health.carrier, health);
      unjudged = heard.slices;
    } catch (error) {
      onFailure("the carriers' health is not known", error);
    } finally {
      // Whoever is away is not asked for each message.
      heardAt = clock.now();
      hearing = undefined;
    }
  }

  async function keepUpToDate(): Promise<void> {
    const age = clock.now() - heardAt;
    if (age >= 0 && age < HEALTH_MS) return;
    hearing ??= hear();
    await hearing;
  }

  async function beginTrial(health: CarrierHealth): Promise<boolean> {
    const trial = onTrial(health, clock.now());
    // The other messages of this function need not try, whoever is faster.
    known.set(health.carrier, trial);
    try {
      if (!(await timeLimit.within(HEARING_MS, change(health, trial)))) return false;
      tried.set(health.carrier, trial);
      return true;
    } catch (error) {
      onFailure("a carrier could not be put on trial", error);
      return false;
    }
  }

  async function judge(pooled: PooledCarrier, slices: readonly CarrierSlice[]): Promise<void> {
    const { name } = pooled.carrier;
    const health = known.get(name) ?? goodCarrier(name);
    if (health.state !== "good") return;
    const ofCarrier = slices.filter(({ carrier }) => carrier === name);
    const now = clock.now();
    const complaint = complaintOf(health, ofCarrier, pooled.demotion, now);
    if (complaint) await change(health, demoted(health, complaint, now));
  }

  /** Also of what somebody changed who died before it could tell. */
  async function tellOf(name: string): Promise<void> {
    const health = known.get(name);
    const age = clock.now() - askedInVainAt;
    const isLeftAlone = age >= 0 && age < LEFT_ALONE_MS;
    if (!health || health.told || health.state === "trial" || isLeftAlone) return;
    // As long as there is no answer, it is in vain.
    askedInVainAt = clock.now();
    await tell(changeOf(health));
    askedInVainAt = Number.NEGATIVE_INFINITY;
    await change(health, asTold(health));
  }

  async function settleAll(): Promise<void> {
    for (const health of ended.splice(0)) {
      const trial = tried.get(health.carrier);
      tried.delete(health.carrier);
      if (trial) await change(trial, health);
    }
    const slices = unjudged;
    unjudged = undefined;
    if (slices) for (const pooled of carriers) await judge(pooled, slices);
    // Only now: a bus that does not answer keeps no carrier from being judged.
    for (const { carrier } of carriers) {
      await tellOf(carrier.name).catch((error) => onFailure("nobody was told of a carrier", error));
    }
  }

  const isGood = (name: string) => (known.get(name)?.state ?? "good") === "good";

  async function trialAmong(names: readonly string[]): Promise<string | undefined> {
    const now = clock.now() - (lane === "singles" ? SINGLES_GRACE_MS : 0);
    for (const name of names) {
      const health = known.get(name);
      if (health && isDueForTrial(health, now) && (await beginTrial(health))) return name;
    }
    return undefined;
  }

  return {
    async inOrder(names, failed = []) {
      await keepUpToDate();
      const trial = await trialAmong(names.filter((name) => !isGood(name)));
      const hasFailed = (name: string) => failed.includes(name);
      // Once all have failed, it is begun anew.
      const isLast = names.every(hasFailed) ? () => false : hasFailed;
      const rank = (name: string) =>
        name === trial ? -1 : (isLast(name) ? 2 : 0) + (isGood(name) ? 0 : 1);
      return { names: names.toSorted((a, b) => rank(a) - rank(b)), trial };
    },

    endTrial(name, hasTaken) {
      const trial = tried.get(name);
      if (trial) ended.push(afterTrial(trial, hasTaken, clock.now()));
    },

    async settle() {
      try {
        await timeLimit.within(SETTLING_MS, settleAll());
      } catch (error) {
        onFailure("what concerns the carriers' health could not be written down", error);
      }
    },
  };
}

const changeOf = ({
  carrier,
  state,
  reason,
  percent,
  since,
  until,
}: CarrierHealth): CarrierChange => ({
  carrier,
  change: state === "good" ? "restored" : "demoted",
  ...(reason && { reason }),
  ...(percent !== undefined && { percent }),
  at: since,
  ...(until !== undefined && { until }),
});
