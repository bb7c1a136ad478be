import type { Deployment } from "../deployment.ts";
import { bundle } from "../deployment.ts";
import { LambdaProcess } from "../lambda/lambda-process.ts";
import { keyOf } from "../measure.ts";
import type { RecordedRequest } from "../null-aws-client.ts";
import { functionNamed, variableOf } from "../stack.ts";
import { grouped, median } from "../usage.ts";
import { type RecordedInvocation, type Replay, sampled } from "./recording.ts";

/** Invocations of a function that stand for all of its. */
const MOST_INVOCATIONS = 100;

/** Requests after which a process hardly makes them any faster. */
const WARM_REQUESTS = 10_000;

/** PutItems by which machines are compared: so many an invocation, of which the second half counts. */
const PUT_ITEMS = 100;
const PUT_ITEM_TURNS = 40;

/** Makes the calls of recorded invocations again, and nothing else; each function's in a process of its own that stays. */
export class Floor {
  readonly deployment: Deployment;
  readonly #bundle: string;
  readonly #processes = new Map<string, LambdaProcess>();
  readonly #made = new Map<string, number>();

  private constructor(deployment: Deployment, file: string) {
    this.deployment = deployment;
    this.#bundle = file;
  }

  /** Bundles the code that makes calls again. */
  static async build(deployment: Deployment): Promise<Floor> {
    const file = await bundle("test/bench/floor/replay.ts", deployment.directory, "replay");
    return new Floor(deployment, file);
  }

  /** The floor of these invocations. */
  of(recordings: readonly RecordedInvocation[]): FloorRun {
    return new FloorRun(this, recordings);
  }

  /** The process that makes a function's calls. */
  process(by: string): LambdaProcess {
    const running = this.#processes.get(by);
    if (running) return running;
    const { stack, runtime } = this.deployment;
    const settings = functionNamed(stack, by);
    const begun = new LambdaProcess({ ...settings, bundle: this.#bundle, runtime });
    this.#processes.set(by, begun);
    return begun;
  }

  /** How many requests the process of a function has made. */
  made(by: string): number {
    return this.#made.get(by) ?? 0;
  }

  /** Takes note of requests that the process of a function has made. */
  count(by: string, requests: number): void {
    this.#made.set(by, this.made(by) + requests);
  }

  /**
   * What the SDK takes for one PutItem of a message's size, sent one after the other, in
   * milliseconds of processor time: by it, times of different machines can be compared.
   */
  async putItemMs(): Promise<number> {
    const { stack, runtime } = this.deployment;
    const settings = functionNamed(stack, "dispatch");
    const process = new LambdaProcess({ ...settings, bundle: this.#bundle, runtime });
    const item = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [
        `attribute${index}`,
        { S: "of a message".repeat(3) },
      ]),
    );
    const body = JSON.stringify({
      TableName: variableOf(stack, "MESSAGES_TABLE"),
      Item: { pk: { S: "yardstick" }, sk: { S: "yardstick" }, ...item },
    });
    const request = {
      service: "dynamodb",
      operation: "PutItem",
      method: "POST",
      path: "/",
      headers: {},
      body,
    };
    const replay: Replay = {
      requests: Array.from({ length: PUT_ITEMS }, (_, index) => ({
        ...request,
        startedAfter: index,
      })),
    };
    const times: number[] = [];
    for (let turn = 0; turn < PUT_ITEM_TURNS; turn++) {
      const { span } = await process.invoke(JSON.stringify(replay));
      times.push(span.cpuMicroseconds / 1_000 / PUT_ITEMS);
    }
    await process.close();
    await this.deployment.clear();
    return median(times.slice(PUT_ITEM_TURNS / 2));
  }

  /** Ends the processes. */
  async close(): Promise<void> {
    await Promise.all([...this.#processes.values()].map((process) => process.close()));
  }
}

/** The floor of one workload. */
export class FloorRun {
  readonly #floor: Floor;
  /** By stage and function. */
  readonly #shares: ReadonlyMap<string, readonly RecordedInvocation[]>;

  constructor(floor: Floor, recordings: readonly RecordedInvocation[]) {
    this.#floor = floor;
    this.#shares = grouped(recordings, keyOf);
  }

  /**
   * Makes the calls as often as others have made theirs: nothing is as fast as when it is compiled
   * for the hundredth time.
   * @param othersMade how many requests a function has made
   */
  async warmUp(othersMade: (by: string) => number): Promise<void> {
    for (const recordings of this.#shares.values()) {
      const sample = sampled(recordings, MOST_INVOCATIONS);
      if (sample.every(({ requests }) => requests.length === 0)) continue;
      const by = sample[0]?.by ?? "";
      const missing = () => Math.min(othersMade(by), WARM_REQUESTS) - this.#floor.made(by);
      while (missing() > 0) await this.#replay(sample, missing());
    }
  }

  /** Makes the calls. @returns what all invocations would take, in milliseconds of processor time, by stage and function */
  async play(): Promise<Readonly<Record<string, number>>> {
    const cpuMs: Record<string, number> = {};
    for (const [key, recordings] of this.#shares) {
      const sample = sampled(recordings, MOST_INVOCATIONS);
      const microseconds = await this.#replay(sample);
      cpuMs[key] = (microseconds / 1_000) * (recordings.length / sample.length);
    }
    return cpuMs;
  }

  /**
   * Makes the calls of some invocations of one function.
   * @param most about how many calls will do
   * @returns microseconds of processor time
   */
  async #replay(sample: readonly RecordedInvocation[], most = Number.MAX_VALUE): Promise<number> {
    const { nullAws } = this.#floor.deployment;
    const answered = sample.flatMap(({ requests }) => requests);
    await nullAws.control("replay", { on: true, requests: answered });
    let microseconds = 0;
    let made = 0;
    for (const { by, requests } of sample) {
      if (made >= most) break;
      made += requests.length;
      const { span } = await this.#floor.process(by).invoke(replayOf(requests));
      this.#floor.count(by, requests.length);
      microseconds += span.cpuMicroseconds;
    }
    const { misses } = await nullAws.control<{ misses: number }>("replay", { on: false });
    if (misses > 0) {
      throw new Error(`the floor of ${sample[0]?.by} asks ${misses} times for something else`);
    }
    return microseconds;
  }
}

/** Requests without their answers, as the event of a floor. */
function replayOf(requests: readonly RecordedRequest[]): string {
  const replay: Replay = {
    requests: requests.map(({ response: _, order: __, ...request }) => request),
  };
  return JSON.stringify(replay);
}
