import * as fc from "fast-check";
import {
  CALL_FAULTS,
  DELIVERY_FAULTS,
  type Fault,
  type FaultRates,
  type Outage,
} from "./faults.ts";

/** What the carrier makes of a message. Seconds are from its hand-over. */
export interface CarrierPlan {
  /** `hangs`: it has the message, but its answer comes too late. `throws`: it may have it, or not. */
  readonly answer: "accepted" | "rejected" | "blocked" | "hangs" | "throws";
  /** So often before that it cannot be reached. */
  readonly unreachable: number;
  /** Whether it says that there will be receipts. */
  readonly givesReceipts: boolean;
  /** Before the answer where `seconds` is negative. */
  readonly receipts: readonly {
    readonly seconds: number;
    readonly isDelivered: boolean;
    readonly copies: number;
    /** Whether each part has one of its own. */
    readonly isByPart: boolean;
  }[];
}

/** One message that a client sends. */
export interface SmsPlan {
  readonly carrier: CarrierPlan;
  /** So many seconds ahead; at once where it is 0. */
  readonly scheduled: number;
  readonly isLong: boolean;
  readonly callbackOption: "ALL" | "FINAL" | "NONE" | undefined;
  /** When the client tries to cancel it, if it does. */
  readonly canceled: { readonly from: "sending" | "due"; readonly ms: number } | undefined;
  /** Whether the phone answers it, so many seconds after it was sent. */
  readonly answeredAfter: number | undefined;
}

/** A request that a client makes, again until it is answered. */
export interface RequestPlan {
  readonly at: number;
  readonly account: 0 | 1;
  /** Several are sent as a bulk request. */
  readonly messages: readonly SmsPlan[];
  /** Whether the client gets impatient, and asks a second time without waiting for an answer. */
  readonly isAskedTwice: boolean;
}

/** How a customer's server answers: well, but for a time; or never well again. */
export interface EndpointPlan {
  readonly account: 0 | 1;
  readonly events: readonly ("sent" | "delivered" | "received" | "any")[];
  readonly callbackOption: "ALL" | "FINAL";
  readonly format: "dialect" | "cloudevents";
  readonly trouble: "none" | "500" | "429" | "time-out" | "404" | "410" | "slow";
  /** Seconds after the beginning; at the end of the trouble it is well again. */
  readonly troubleFrom: number;
  readonly troubleSeconds: number;
  /** How often the troubled server answers well all the same. */
  readonly luck: number;
}

/** All that one run depends on. */
export interface Scenario {
  readonly seed: number;
  readonly rates: FaultRates;
  readonly outages: readonly Outage[];
  readonly requests: readonly RequestPlan[];
  readonly endpoints: readonly EndpointPlan[];
  /** MOs that answer nothing, by second. */
  readonly strayMos: readonly number[];
  /** Messages that nobody can read, by second. */
  readonly poison: readonly number[];
}

/** Faults stop this many seconds after the beginning. */
export const CALM_AFTER_SECONDS = 20 * 60;

/** So many times out of ten. */
const sometimes = <T>(timesOfTen: number, value: fc.Arbitrary<T>) =>
  fc.oneof(
    { weight: 10 - timesOfTen, arbitrary: fc.constant(undefined) },
    { weight: timesOfTen, arbitrary: value },
  );

const receipt = fc.record({
  seconds: fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 0, max: 30 }) },
    { weight: 1, arbitrary: fc.constant(-1) },
    { weight: 1, arbitrary: fc.integer({ min: 30, max: 400 }) },
  ),
  isDelivered: fc.boolean(),
  copies: fc.integer({ min: 1, max: 3 }),
  isByPart: fc.boolean(),
});

const carrierPlan: fc.Arbitrary<CarrierPlan> = fc.record({
  answer: fc.oneof(
    { weight: 10, arbitrary: fc.constant("accepted" as const) },
    { weight: 1, arbitrary: fc.constantFrom("rejected", "blocked", "hangs", "throws") },
  ),
  unreachable: fc.oneof(
    { weight: 4, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }) },
  ),
  givesReceipts: fc.oneof(
    { weight: 5, arbitrary: fc.constant(true) },
    { weight: 1, arbitrary: fc.constant(false) },
  ),
  receipts: fc.array(receipt, { maxLength: 2 }),
});

const smsPlan: fc.Arbitrary<SmsPlan> = fc.record({
  carrier: carrierPlan,
  scheduled: fc.oneof(
    { weight: 4, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: 5, max: 600 }) },
    { weight: 1, arbitrary: fc.integer({ min: 960, max: 2_400 }) },
  ),
  isLong: fc.oneof(
    { weight: 4, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.constant(true) },
  ),
  callbackOption: sometimes(3, fc.constantFrom("ALL" as const, "FINAL" as const, "NONE" as const)),
  canceled: sometimes(
    4,
    fc.oneof(
      fc.record({
        from: fc.constant("sending" as const),
        ms: fc.integer({ min: 0, max: 900_000 }),
      }),
      // In the very moment that it is sent off.
      fc.record({ from: fc.constant("due" as const), ms: fc.integer({ min: 0, max: 200 }) }),
    ),
  ),
  answeredAfter: sometimes(3, fc.integer({ min: 1, max: 60 })),
});

const requestPlan: fc.Arbitrary<RequestPlan> = fc.record({
  at: fc.integer({ min: 0, max: 600 }),
  account: fc.constantFrom(0 as const, 1 as const),
  messages: fc.oneof(
    { weight: 3, arbitrary: fc.array(smsPlan, { minLength: 1, maxLength: 1 }) },
    { weight: 1, arbitrary: fc.array(smsPlan, { minLength: 2, maxLength: 5 }) },
  ),
  isAskedTwice: fc.oneof(
    { weight: 3, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.constant(true) },
  ),
});

const endpointPlan: fc.Arbitrary<EndpointPlan> = fc.record({
  account: fc.constantFrom(0 as const, 1 as const),
  events: fc.constantFrom(
    ["any"] as const,
    ["sent", "delivered", "received"] as const,
    ["delivered"] as const,
    ["sent"] as const,
  ),
  callbackOption: fc.constantFrom("ALL" as const, "FINAL" as const),
  format: fc.constantFrom("dialect" as const, "cloudevents" as const),
  trouble: fc.oneof(
    { weight: 4, arbitrary: fc.constant("none" as const) },
    {
      weight: 3,
      arbitrary: fc.constantFrom("500", "429", "time-out", "404", "410", "slow"),
    },
  ),
  troubleFrom: fc.integer({ min: 0, max: 600 }),
  troubleSeconds: fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 1_800 }) },
    { weight: 1, arbitrary: fc.integer({ min: 1_800, max: 8 * 86_400 }) },
  ),
  luck: fc.constantFrom(0, 0.3),
});

const thousandths = (min: number, max: number) =>
  fc.integer({ min, max }).map((rate) => rate / 1_000);

/** Each kind of fault is absent from some runs, rare in most, and frequent in a few. */
const rate = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: thousandths(0, 30) },
  { weight: 1, arbitrary: thousandths(30, 120) },
);
/** Schedules are few. */
const rateOfSchedules = fc.constantFrom(0, 0.1, 0.5);
const rateOf = (fault: Fault) => (fault.startsWith("schedule-") ? rateOfSchedules : rate);
const rates: fc.Arbitrary<FaultRates> = fc.record(
  Object.fromEntries(
    [...CALL_FAULTS, ...DELIVERY_FAULTS].map((fault) => [fault, rateOf(fault)]),
  ) as Record<Fault, fc.Arbitrary<number>>,
);

const outage: fc.Arbitrary<Outage> = fc.record({
  service: fc.constantFrom("dynamodb", "sqs", "eventbridge", "scheduler"),
  from: fc.integer({ min: 0, max: 900 }),
  seconds: fc.integer({ min: 1, max: 240 }),
});

/** Everything that one run depends on, at random. */
export const scenarios: fc.Arbitrary<Scenario> = fc.record({
  seed: fc.nat(),
  rates,
  outages: fc.array(outage, { maxLength: 2 }),
  requests: fc.array(requestPlan, { minLength: 1, maxLength: 7 }),
  endpoints: fc.array(endpointPlan, { maxLength: 3 }),
  strayMos: fc.array(fc.integer({ min: 0, max: 600 }), { maxLength: 1 }),
  poison: fc.array(fc.integer({ min: 0, max: 600 }), { maxLength: 1 }),
});
