import { answered, failed, type WireAnswer, type WireRequest } from "./aws-wire.ts";
import type { FaultPlan } from "./faults.ts";
import type { Queues } from "./queues.ts";
import type { World } from "./simulation.ts";
import { idOf } from "./topology.ts";

/** EventBridge Scheduler is precise to the minute. */
const LATENESS_MS = 60_000;

interface Target {
  readonly Arn: string;
  readonly Input: string;
}

/** The schedules of a world: each fires once and is gone; now and then late, now and then twice. */
export class PlayedSchedules {
  readonly #names = new Set<string>();
  readonly #world: World;
  readonly #faults: FaultPlan;
  readonly #queues: Queues;

  constructor(world: World, faults: FaultPlan, queues: Queues) {
    this.#world = world;
    this.#faults = faults;
    this.#queues = queues;
  }

  /** How many are waiting. */
  get size(): number {
    return this.#names.size;
  }

  answer({ operation, path, body }: WireRequest): WireAnswer {
    const name = path.split("/").at(-1) ?? "";
    if (operation === "CreateSchedule") {
      if (this.#names.has(name)) return failed(409, "ConflictException");
      this.#create(name, String(body.ScheduleExpression), body.Target as Target);
      return answered({ ScheduleArn: `arn:aws:scheduler:us-east-1:000000000000:${name}` });
    }
    if (operation === "DeleteSchedule") {
      return this.#names.delete(name) ? answered() : failed(404, "ResourceNotFoundException");
    }
    throw new Error(`the played Scheduler does not know ${operation}`);
  }

  #create(name: string, expression: string, target: Target): void {
    const { timeline, chance } = this.#world;
    const due = Date.parse(`${/^at\((?<time>.+)\)$/.exec(expression)?.groups?.time}Z`);
    if (Number.isNaN(due)) throw new Error(`this is no time: ${expression}`);
    const late = this.#faults.happens("schedule-late") ? chance.below(LATENESS_MS) : 0;
    this.#names.add(name);
    timeline.after(due - timeline.now + late, () => this.#fire(name, target));
  }

  #fire(name: string, { Arn, Input }: Target): void {
    if (!this.#names.delete(name)) return;
    this.#queues.put(idOf(Arn), Input);
    if (this.#faults.happens("schedule-twice")) this.#queues.put(idOf(Arn), Input);
  }
}
