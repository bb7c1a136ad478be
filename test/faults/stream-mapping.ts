import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from "aws-lambda";
import { matchesPattern } from "../infra/event-pattern.ts";
import type { Ending, World } from "./simulation.ts";
import type { MappingSettings } from "./topology.ts";

type Invoke = (
  functionId: string,
  event: DynamoDBStreamEvent,
  onEnd: (ending: Ending) => void,
) => void;

/** Lambda waits between two tries at a batch of a stream. */
const RETRY_MS = 1_000;

/**
 * What feeds a function with a stream: the records of one item come in their order, again and
 * again until they are done with; a batch that fails as a whole is halved.
 */
export class StreamMapping {
  readonly #settings: MappingSettings;
  readonly #world: World;
  readonly #invoke: Invoke;
  readonly #lanes: DynamoDBRecord[][];
  readonly #isRunning: boolean[];

  constructor(settings: MappingSettings, world: World, invoke: Invoke) {
    this.#settings = settings;
    this.#world = world;
    this.#invoke = invoke;
    this.#lanes = Array.from({ length: settings.maxConcurrency }, () => []);
    this.#isRunning = this.#lanes.map(() => false);
  }

  /** @param lane a number that is the same for records of the same item */
  feed(record: DynamoDBRecord, lane: number): void {
    const { patterns } = this.#settings;
    if (!patterns.some((pattern) => matchesPattern(pattern, record))) return;
    const index = lane % this.#lanes.length;
    this.#lanes[index]?.push(record);
    this.#world.timeline.after(this.#world.chance.below(200), () => this.#run(index));
  }

  #run(index: number, most = this.#settings.batchSize): void {
    const lane = this.#lanes[index];
    if (!lane || lane.length === 0 || this.#isRunning[index]) return;
    this.#isRunning[index] = true;
    const Records = lane.slice(0, 1 + this.#world.chance.below(Math.min(most, lane.length)));
    this.#invoke(this.#settings.functionId, { Records }, (ending) => {
      this.#isRunning[index] = false;
      const done = countDone(ending, Records);
      lane.splice(0, done);
      const isHalved = ending.kind !== "returned";
      const next = isHalved ? Math.max(1, Math.floor(Records.length / 2)) : undefined;
      this.#world.timeline.after(done === Records.length ? 0 : RETRY_MS, () =>
        this.#run(index, next),
      );
    });
  }
}

/** How many of a batch, from its beginning, do not come again. */
function countDone(ending: Ending, records: readonly DynamoDBRecord[]): number {
  if (ending.kind !== "returned") return 0;
  const { batchItemFailures } = ending.value as DynamoDBBatchResponse;
  const failures = batchItemFailures.map(({ itemIdentifier }) =>
    records.findIndex(({ dynamodb }) => dynamodb?.SequenceNumber === itemIdentifier),
  );
  return failures.length === 0 ? records.length : Math.max(0, Math.min(...failures));
}
