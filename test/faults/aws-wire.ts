/** A request as the SDK puts it on the wire. */
export interface WireRequest {
  readonly service: string;
  readonly operation: string;
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: Record<string, unknown>;
}

/** What goes back over the wire. */
export interface WireAnswer {
  readonly status: number;
  readonly body: unknown;
}

export const answered = (body: unknown = {}): WireAnswer => ({ status: 200, body });

/** An error as services answer it. */
export const failed = (status: number, type: string, message = type): WireAnswer => ({
  status,
  body: { __type: type, message },
});
