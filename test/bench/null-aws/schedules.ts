import { AwsError } from "./aws-error.ts";
import type { Queues } from "./queues.ts";

/** A schedule that has not fired yet. */
export interface Schedule {
  readonly name: string;
  /** As it was given, such as `at(2026-03-02T12:00:00)`. */
  readonly expression: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly queueUrl: string;
  readonly input: string;
}

interface CreateScheduleInput {
  readonly GroupName?: string;
  readonly ScheduleExpression: string;
  readonly Target: { readonly Arn: string; readonly Input?: string };
}

const errorWith = (status: number, code: string, message: string) =>
  new AwsError(code, message, {}, status);

/** Schedules that put something on a queue once, when somebody says that it is time. */
export class Schedules {
  readonly #schedules = new Map<string, Schedule>();
  readonly #queues: Queues;

  constructor(queues: Queues) {
    this.#queues = queues;
  }

  all(): Schedule[] {
    return [...this.#schedules.values()];
  }

  clear(): void {
    this.#schedules.clear();
  }

  /** Answers a request to EventBridge Scheduler. @param name of the schedule. @throws AwsError as Scheduler would */
  answer(operation: string, name: string, group: string, input: unknown): object {
    const { GroupName = group } = (input ?? {}) as { readonly GroupName?: string };
    const key = `${GroupName}/${name}`;
    const ScheduleArn = `arn:aws:scheduler:us-east-1:000000000000:schedule/${key}`;
    if (operation === "CreateSchedule") {
      this.#create(key, name, input as CreateScheduleInput);
      return { ScheduleArn };
    }
    const schedule = this.#schedules.get(key);
    if (!schedule) {
      throw errorWith(404, "ResourceNotFoundException", `Schedule ${name} does not exist.`);
    }
    if (operation === "DeleteSchedule") {
      this.#schedules.delete(key);
      return {};
    }
    return {
      Arn: ScheduleArn,
      GroupName,
      Name: name,
      ScheduleExpression: schedule.expression,
      State: "ENABLED",
      FlexibleTimeWindow: { Mode: "OFF" },
      Target: { Arn: this.#queues.find(schedule.queueUrl)?.arn, Input: schedule.input },
    };
  }

  #create(key: string, name: string, { ScheduleExpression, Target }: CreateScheduleInput): void {
    if (this.#schedules.has(key)) {
      throw errorWith(409, "ConflictException", `Schedule ${name} already exists.`);
    }
    const time = /^at\((?<time>[^)]+)\)$/.exec(ScheduleExpression)?.groups?.time;
    const at = Date.parse(`${time}Z`);
    const queue = this.#queues.find(Target.Arn);
    if (Number.isNaN(at) || !queue) {
      throw errorWith(
        400,
        "ValidationException",
        `${ScheduleExpression} is no time, or ${Target.Arn} no queue`,
      );
    }
    const { url: queueUrl } = queue;
    const { Input: input = "" } = Target;
    this.#schedules.set(key, { name, expression: ScheduleExpression, at, queueUrl, input });
  }

  /**
   * Lets schedules fire, and be gone.
   * @param isDue says which ones
   * @returns the bytes of each message that was sent
   */
  fire(isDue: (schedule: Schedule) => boolean): number[] {
    const sent: number[] = [];
    for (const [key, schedule] of this.#schedules) {
      if (!isDue(schedule)) continue;
      this.#schedules.delete(key);
      const queue = this.#queues.find(schedule.queueUrl);
      if (!queue) throw new Error(`there is no queue ${schedule.queueUrl} any more`);
      this.#queues.put(queue, { body: schedule.input, delaySeconds: 0 });
      sent.push(Buffer.byteLength(schedule.input));
    }
    return sent;
  }
}
