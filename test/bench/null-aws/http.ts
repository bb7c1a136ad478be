import type { IncomingHttpHeaders } from "node:http";

/** A request that has come whole. */
export interface HttpRequest {
  readonly method: string;
  /** With the query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export const jsonAnswer = (
  body: unknown,
  type = "application/json",
  status = 200,
  headers: HttpAnswer["headers"] = {},
): HttpAnswer => ({
  status,
  headers: { "content-type": type, ...headers },
  body: JSON.stringify(body),
});
