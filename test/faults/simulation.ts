import { AsyncLocalStorage } from "node:async_hooks";
import type { Clock, Randomness, TimeLimit } from "../../functions/core/ports.ts";
import type { WireAnswer, WireRequest } from "./aws-wire.ts";
import type { Chance } from "./chance.ts";

interface Due {
  readonly at: number;
  readonly order: number;
  readonly run: () => void | Promise<void>;
}

/** What is due in a world whose time is played: it jumps to whatever comes next. */
export class Timeline {
  #now: number;
  #order = 0;
  /** Sorted: the last one comes first. */
  readonly #due: Due[] = [];

  constructor(start: number) {
    this.#now = start;
  }

  get now(): number {
    return this.#now;
  }

  get isEmpty(): boolean {
    return this.#due.length === 0;
  }

  /** Has something done after so many milliseconds; what is due at the same time happens in order. */
  after(ms: number, run: Due["run"]): void {
    const due = { at: this.#now + Math.max(0, ms), order: this.#order++, run };
    let place = this.#due.length;
    while (place > 0 && isLater(due, this.#due[place - 1] as Due)) place--;
    this.#due.splice(place, 0, due);
  }

  /** Does what comes next, and waits until nothing goes on by itself any more. */
  async step(): Promise<void> {
    const next = this.#due.pop();
    if (!next) return;
    this.#now = next.at;
    await next.run();
    // Everything between two calls of an invocation is done in microtasks.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const isLater = (one: Due, other: Due) =>
  one.at > other.at || (one.at === other.at && one.order > other.order);

/** Whether a function returned, threw, or was cut off: by a crash, or by its time limit. */
export type Ending =
  | { readonly kind: "returned"; readonly value: unknown }
  | { readonly kind: "threw"; readonly error: unknown }
  | { readonly kind: "crashed" | "timed-out" };

let invocations = 0;
const current = new AsyncLocalStorage<Invocation>();

/** Never answers: whoever waits for it is dead. */
const NEVER = new Promise<never>(() => {});

/** One run of a function. Once it is dead, nothing that it waits for comes any more. */
export class Invocation {
  readonly #onEnd: (ending: Ending) => void;
  /** Tells it from others. */
  readonly number: number;
  #ended = false;
  /** What cut it off, if anything did. */
  cutOffBy: "crashed" | "timed-out" | undefined;
  endedAt = Number.POSITIVE_INFINITY;
  /** The services that have failed it. */
  readonly failedBy = new Set<string>();
  /** Whether the call to AWS before this one failed: trouble seldom comes alone. */
  isInTrouble = false;

  constructor(
    readonly functionName: string,
    readonly world: World,
    /** How far its clock is from the right time. */
    readonly skewMs: number,
    onEnd: (ending: Ending) => void,
  ) {
    this.#onEnd = onEnd;
    this.number = ++invocations;
  }

  /** The invocation on whose behalf the caller runs; none where the test itself does. */
  static current(): Invocation | undefined {
    return current.getStore();
  }

  get isDead(): boolean {
    return this.#ended;
  }

  end(ending: Ending): void {
    if (this.#ended) return;
    this.#ended = true;
    this.endedAt = this.world.timeline.now;
    if (ending.kind === "crashed" || ending.kind === "timed-out") this.cutOffBy = ending.kind;
    this.#onEnd(ending);
  }

  /** Runs the function, and cuts it off at its time limit. */
  run(timeoutMs: number, work: () => Promise<unknown>): void {
    this.world.timeline.after(timeoutMs, () => this.end({ kind: "timed-out" }));
    current.run(this, () => {
      work().then(
        (value) => this.end({ kind: "returned", value }),
        (error) => this.end({ kind: "threw", error }),
      );
    });
  }

  /**
   * A call that leaves the function: what it does, it does a moment later, and its answer takes another.
   * @param answerMs how long the answer takes beyond that
   */
  async call<T>(effect: () => T | Promise<T>, answerMs = 0): Promise<T> {
    const { timeline, chance } = this.world;
    if (this.isDead) return NEVER;
    return new Promise<T>((resolve, reject) => {
      timeline.after(latency(chance), async () => {
        // What a function that died had sent off may arrive, or not.
        if (this.isDead && chance.happens(0.5)) return;
        const [settle, value] = await Promise.resolve()
          .then(effect)
          .then(
            (result) => [resolve, result] as const,
            (error) => [reject, error] as const,
          );
        this.later(answerMs + latency(chance), () => settle(value as T & Error));
      });
    });
  }

  /** Dies a moment later. */
  async die(): Promise<never> {
    this.later(latency(this.world.chance), () => this.end({ kind: "crashed" }));
    return NEVER;
  }

  /** Does something later, unless the invocation is dead by then. */
  later(ms: number, run: () => void): void {
    this.world.timeline.after(ms, () => {
      if (!this.isDead) run();
    });
  }
}

/** What an invocation knows of the world that it runs in. */
export interface World {
  /** Answers a request to AWS. */
  serve(request: WireRequest, caller: Invocation): Promise<WireAnswer>;
  readonly timeline: Timeline;
  readonly chance: Chance;
  /** How far the clocks of all functions are from the right time. */
  readonly clockOffsetMs: number;
}

/** A few milliseconds; now and then far more, so that what was asked first is not always done first. */
const latency = (chance: Chance) => 1 + chance.below(chance.happens(0.1) ? 400 : 15);

/** The ports through which functions see time and chance. */
export function portsOf(world: World): {
  clock: Clock;
  randomness: Randomness;
  timeLimit: TimeLimit;
} {
  const { timeline, chance } = world;
  return {
    clock: {
      now: () =>
        Math.floor(timeline.now + world.clockOffsetMs + (Invocation.current()?.skewMs ?? 0)),
    },
    randomness: {
      uuid: () => chance.uuid(),
      secret: () => chance.uuid().repeat(2),
      signingSecret: () => `whsec_${Buffer.from(chance.uuid()).toString("base64")}`,
      fraction: () => chance.fraction(),
    },
    timeLimit: {
      within: (ms, work) => {
        const limit = new Promise<never>((_, reject) => {
          timeline.after(ms, () => reject(new RangeError("out of time")));
        });
        return Promise.race([work, limit]);
      },
    },
  };
}
