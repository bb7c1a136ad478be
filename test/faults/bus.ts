import { matchesPattern } from "../infra/event-pattern.ts";
import { answered, type WireAnswer, type WireRequest } from "./aws-wire.ts";
import type { Queues } from "./queues.ts";
import type { RuleSettings } from "./topology.ts";

/** An event as the bus has taken it; what is told together is one for each change. */
export interface BusEvent {
  readonly source: string;
  readonly "detail-type": string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** The bus of a world, with the rules of the template: what matches one goes to its queues. */
export class Bus {
  readonly events: BusEvent[] = [];
  readonly #rules: readonly RuleSettings[];
  readonly #queues: Queues;

  constructor(rules: readonly RuleSettings[], queues: Queues) {
    this.#rules = rules;
    this.#queues = queues;
  }

  /** Answers a request to EventBridge. @param refused whether an entry is not taken */
  answer({ operation, body }: WireRequest, refused: () => boolean): WireAnswer {
    if (operation !== "PutEvents") throw new Error(`the played bus does not know ${operation}`);
    const Entries = (body.Entries as Record<string, string>[]).map((entry, index) => {
      if (refused()) return { ErrorCode: "InternalFailure", ErrorMessage: "try again" };
      this.#take({
        source: String(entry.Source),
        "detail-type": String(entry.DetailType),
        detail: JSON.parse(String(entry.Detail)),
      });
      return { EventId: String(index) };
    });
    const FailedEntryCount = Entries.filter((entry) => "ErrorCode" in entry).length;
    return answered({ FailedEntryCount, Entries });
  }

  #take(event: BusEvent): void {
    const { changes } = event.detail as { changes?: BusEvent["detail"][] };
    this.events.push(...(changes?.map((detail) => ({ ...event, detail })) ?? [event]));
    for (const { pattern, queueIds } of this.#rules) {
      if (!matchesPattern(pattern, event)) continue;
      for (const queueId of queueIds) this.#queues.put(queueId, JSON.stringify(event.detail));
    }
  }
}
