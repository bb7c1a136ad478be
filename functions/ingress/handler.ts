import {
  type CarrierEvent,
  type CarrierReports,
  InvalidReportError,
  type ReportProtocol,
  type ReportRequest,
} from "../core/carrier.ts";
import type { AuthenticateCarrier } from "../core/carrier-account.ts";
import type { Clock, TimeLimit } from "../core/ports.ts";
import {
  type ApiHandler,
  type ApiRequest,
  type ApiResponse,
  basicCredentials,
  MAX_BODY_BYTES,
} from "../runtime/http.ts";

/** What ingress needs. */
export interface IngressDependencies {
  readonly authenticate: AuthenticateCarrier;
  /** By the name that carrier accounts know it by. */
  readonly loadProtocol: (name: string) => Promise<ReportProtocol | undefined>;
  readonly reports: CarrierReports;
  readonly timeLimit: TimeLimit;
  /** How long a carrier waits at most. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** The name of the carrier, and what it reports. */
const PATH = /^\/carriers\/(?<carrier>[^/]+)\/(?<what>dlr|mo)$/;
/** For carriers that can only call an URL. */
const SECRET_PARAMETER = "secret";

const CHALLENGE = { "www-authenticate": 'Basic realm="Carriers", charset="UTF-8"' };
const RETRY_AFTER = { "retry-after": "5" };

const refusal = (status: number, error: string, headers = {}): ApiResponse => ({
  status,
  headers,
  body: { error },
});

/**
 * Receives what carriers report over HTTP: authenticates, normalises and enqueues it, and then
 * answers. What could not be enqueued whole is refused whole; to report it again does no harm.
 */
export function createHandler(deps: IngressDependencies): ApiHandler {
  return {
    handle: (request) => deps.timeLimit.within(deps.timeoutMs, receive(deps, request)),
    onError: () => refusal(503, "unavailable", RETRY_AFTER),
  };
}

async function receive(deps: IngressDependencies, request: ApiRequest): Promise<ApiResponse> {
  const { carrier = "", what = "" } = PATH.exec(request.path)?.groups ?? {};
  const secret = secretOf(request);
  const account = secret === undefined ? undefined : await deps.authenticate(carrier, secret);
  if (!account) return refusal(401, "unauthorized", CHALLENGE);
  if (request.body.length > MAX_BODY_BYTES) return refusal(413, "too large");
  const protocol = await deps.loadProtocol(account.protocol);
  if (!protocol) throw new UnknownProtocolError(account.protocol);
  const { carrier: name } = account;
  const report = withoutSecret(request);
  const context = { carrier: name, now: deps.clock.now() };
  const events = await read<CarrierEvent>(async () =>
    what === "dlr" ? protocol.parseReceipts(report, context) : protocol.parseMos(report, context),
  );
  if (events instanceof InvalidReportError) {
    const { message } = events;
    return { ...refusal(400, message), log: { carrier: name, problem: message } };
  }
  await deps.reports.enqueueMany(events.map((event) => notAhead(event, context.now)));
  const { status, contentType, body } = protocol.accept(events);
  return {
    status,
    headers: { "content-type": contentType },
    body,
    log: { carrier: name, [what]: events.length },
  };
}

async function read<T>(
  parse: () => Promise<readonly T[]>,
): Promise<readonly T[] | InvalidReportError> {
  try {
    return await parse();
  } catch (error) {
    if (error instanceof InvalidReportError) return error;
    throw error;
  }
}

/** By the carrier's clock, unless that is ahead of ours: what is reported has happened. */
const notAhead = (event: CarrierEvent, now: number): CarrierEvent => ({
  ...event,
  at: Math.min(event.at, now),
});

/** The account was made by a version that knows more than this one. */
class UnknownProtocolError extends Error {
  override readonly name = "UnknownProtocolError";
}

const BEARER = /^bearer\s+(?<token>\S+)\s*$/i;

/** Whatever user comes with it: the name of the carrier is in the URL. */
function secretOf({ headers, query }: ApiRequest): string | undefined {
  const { authorization } = headers;
  return (
    basicCredentials(authorization)?.password ??
    BEARER.exec(authorization ?? "")?.groups?.token ??
    query[SECRET_PARAMETER]
  );
}

function withoutSecret({ method, headers, query, body }: ApiRequest): ReportRequest {
  const { authorization: _, ...otherHeaders } = headers;
  const { [SECRET_PARAMETER]: __, ...otherFields } = query;
  return { method, headers: otherHeaders, query: otherFields, body };
}
