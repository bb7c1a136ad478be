import type { RecordedAnswer, RecordedRequest } from "./recorder.ts";

/** Requests that are told apart by nothing else than these. */
type Recognised = Pick<RecordedRequest, "service" | "operation" | "body">;

interface Answers {
  readonly all: RecordedAnswer[];
  next: number;
}

/** Answers that were given once, for whoever makes the same requests again, as often as they like. */
export class Replay {
  #answers: Map<string, Answers> | undefined;
  #hits = 0;
  #misses = 0;

  /** Whether anything is answered from memory. */
  get isOn(): boolean {
    return this.#answers !== undefined;
  }

  start(requests: readonly RecordedRequest[]): void {
    this.#answers = new Map();
    this.#hits = 0;
    this.#misses = 0;
    for (const request of requests) {
      const key = keyOf(request);
      const answers = this.#answers.get(key) ?? { all: [], next: 0 };
      if (request.response) answers.all.push(request.response);
      this.#answers.set(key, answers);
    }
  }

  /** @returns how many requests were recognised, and how many were not */
  stop(): { readonly hits: number; readonly misses: number } {
    this.#answers = undefined;
    return { hits: this.#hits, misses: this.#misses };
  }

  /** The answer that a request got; of several that were the same, one after the other. */
  answerTo(request: Recognised): RecordedAnswer | undefined {
    const answers = this.#answers?.get(keyOf(request));
    const answer = answers?.all[answers.next];
    if (!answers || !answer) {
      this.#misses += 1;
      return undefined;
    }
    answers.next = (answers.next + 1) % answers.all.length;
    this.#hits += 1;
    return answer;
  }
}

const keyOf = ({ service, operation, body }: Recognised) => `${service} ${operation} ${body}`;
