/** What a Lambda process is told: an event, as Lambda's runtime would get it, or to sum up. */
export type ToLambda =
  | {
      readonly kind: "invoke";
      /** The event as JSON. */
      readonly event: string;
      /** How far the process is to believe itself ahead of the machine's clock, in milliseconds. */
      readonly aheadMs: number;
    }
  /** `anew`: from now on, only later peaks of memory count. */
  | { readonly kind: "sum-up"; readonly anew: boolean };

/** What one invocation took. */
export interface Span {
  /** User and system time of the whole process, from just before the handler to a turn of the event loop after its answer; in microseconds. */
  readonly cpuMicroseconds: number;
  /** From the handler's beginning to its answer, in milliseconds. */
  readonly wallMs: number;
  /** What was written to the standard output and the standard error. */
  readonly logBytes: number;
  readonly logLines: number;
}

/** What a Lambda process answers. */
export type FromLambda =
  | { readonly kind: "answered"; readonly result: string; readonly span: Span }
  | { readonly kind: "failed"; readonly error: string }
  | {
      readonly kind: "summed-up";
      /** User and system time since the process began, what lies between invocations included; in microseconds. */
      readonly cpuMicroseconds: number;
      /** The most memory that it had since peaks count. */
      readonly peakMegabytes: number;
    };
