import type { Chance } from "./chance.ts";

/** What can befall a call to AWS. */
export const CALL_FAULTS = [
  "throttled",
  "server-error",
  "timed-out-before-effect",
  "timed-out-after-effect",
  "crash-before-call",
  "crash-after-call",
  "partly-done",
] as const;
export type CallFault = (typeof CALL_FAULTS)[number];

/** What can befall what is on its way between functions. */
export const DELIVERY_FAULTS = [
  "delivered-twice",
  "delivered-late",
  "schedule-late",
  "schedule-twice",
  "clock-jump",
] as const;
export type DeliveryFault = (typeof DELIVERY_FAULTS)[number];

export type Fault = CallFault | DeliveryFault;

/** How likely each fault is. */
export type FaultRates = Readonly<Record<Fault, number>>;

/** A time in which a service does not work at all. Seconds since the beginning. */
export interface Outage {
  readonly service: "dynamodb" | "sqs" | "eventbridge" | "scheduler";
  readonly from: number;
  readonly seconds: number;
}

/** A call that fails is followed by another one that does, so often. */
const TROUBLE_LASTS = 0.7;
const TRANSIENT = CALL_FAULTS.slice(0, 4);

/** Decides what goes wrong, and counts it. */
export class FaultPlan {
  readonly injected: Partial<Record<Fault, number>> = {};
  readonly #chance: Chance;
  readonly #rates: FaultRates;
  readonly #outages: readonly Outage[];
  /** Faults have stopped. */
  isOver = false;

  constructor(chance: Chance, rates: FaultRates, outages: readonly Outage[]) {
    this.#chance = chance;
    this.#rates = rates;
    this.#outages = outages;
  }

  /** What befalls a call, if anything. */
  ofCall(
    service: string,
    secondsSinceStart: number,
    caller: { isInTrouble: boolean },
    canBePartlyDone: boolean,
  ): CallFault | undefined {
    if (this.isOver) return undefined;
    const fault = this.#pickFor(service, secondsSinceStart, caller.isInTrouble);
    caller.isInTrouble = fault !== undefined && TRANSIENT.includes(fault);
    if (!fault || (fault === "partly-done" && !canBePartlyDone)) return undefined;
    return this.#count(fault);
  }

  /** Whether a function dies around a call to somebody else than AWS. */
  ofEffect(fault: "crash-before-call" | "crash-after-call"): boolean {
    if (this.isOver || !this.#chance.happens(this.#rates[fault])) return false;
    this.#count(fault);
    return true;
  }

  /** Whether something befalls what is on its way. */
  happens(fault: DeliveryFault): boolean {
    if (this.isOver || !this.#chance.happens(this.#rates[fault])) return false;
    this.#count(fault);
    return true;
  }

  #pickFor(service: string, seconds: number, isInTrouble: boolean): CallFault | undefined {
    const isOut = this.#outages.some(
      (outage) =>
        outage.service === service &&
        outage.from <= seconds &&
        seconds < outage.from + outage.seconds,
    );
    if (isOut) return this.#chance.happens(0.5) ? "server-error" : "timed-out-before-effect";
    if (isInTrouble && this.#chance.happens(TROUBLE_LASTS)) {
      return TRANSIENT[this.#chance.below(TRANSIENT.length)];
    }
    let left = this.#chance.fraction();
    return CALL_FAULTS.find((fault) => {
      left -= this.#rates[fault];
      return left < 0;
    });
  }

  #count<F extends Fault>(fault: F): F {
    this.injected[fault] = (this.injected[fault] ?? 0) + 1;
    return fault;
  }
}
