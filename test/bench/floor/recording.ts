import type { RecordedRequest } from "../null-aws-client.ts";

/** What one invocation of a function asked of AWS and of those beside it. */
export interface RecordedInvocation {
  readonly stage: string;
  /** The function's name. */
  readonly by: string;
  readonly requests: readonly RecordedRequest[];
}

/** A request as a floor makes it again: as recorded, without its answer. */
export type ReplayedRequest = Pick<
  RecordedRequest,
  "service" | "operation" | "method" | "path" | "headers" | "body" | "startedAfter"
>;

/** What a floor is invoked with. */
export interface Replay {
  readonly requests: readonly ReplayedRequest[];
}

/** So many of a list's elements at most, from all over it. */
export function sampled<T>(all: readonly T[], most: number): T[] {
  if (all.length <= most) return [...all];
  return Array.from(
    { length: most },
    (_, index) => all[Math.floor((index * all.length) / most)] as T,
  );
}
