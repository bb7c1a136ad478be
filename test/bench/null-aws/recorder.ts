/** A request as it came, with the answer that it got. */
export interface RecordedRequest {
  /** Its number, from 0. */
  readonly order: number;
  readonly service: string;
  readonly operation: string;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
  /** How many of those that are recorded had been answered when it came. */
  readonly startedAfter: number;
  response: RecordedAnswer | undefined;
}

export interface RecordedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Requests that were made, and what they were answered, for somebody who makes the same again. */
export class Recorder {
  isOn = false;
  #requests: RecordedRequest[] = [];
  #answered = 0;

  /** Begins anew. */
  start(): void {
    this.isOn = true;
    this.#requests = [];
    this.#answered = 0;
  }

  stop(): void {
    this.isOn = false;
  }

  add(
    request: Omit<RecordedRequest, "order" | "startedAfter" | "response">,
  ): RecordedRequest | undefined {
    if (!this.isOn) return undefined;
    const recorded: RecordedRequest = {
      ...request,
      order: this.#requests.length,
      startedAfter: this.#answered,
      response: undefined,
    };
    this.#requests.push(recorded);
    return recorded;
  }

  answered(recorded: RecordedRequest, response: RecordedAnswer): void {
    recorded.response = response;
    this.#answered += 1;
  }

  all(): readonly RecordedRequest[] {
    return this.#requests;
  }
}
