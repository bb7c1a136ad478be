import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { APIGatewayProxyEventV2 } from "aws-lambda";
import { kannelProtocol } from "../../functions/adapters/carriers/kannel/reports.ts";
import type {
  CarrierEvent,
  CarrierReports,
  InboundMessage,
  Receipt,
} from "../../functions/core/carrier.ts";
import {
  addCarrierAccount,
  createAuthenticateCarrier,
} from "../../functions/core/carrier-account.ts";
import { createHandler } from "../../functions/ingress/handler.ts";
import { createHttpFunction } from "../../functions/runtime/http.ts";
import { systemClock, systemRandomness, systemTimeLimit } from "../../functions/runtime/system.ts";
import { MemoryCarrierAccounts } from "../support/memory-carriers.ts";
import { RecordingLog } from "../support/recording-log.ts";

/** What an MO tells of itself, with Kannel's escapes: as in docs/kannel.md. */
export const MO_QUERY = "id=%I&at=%T&from=%p&to=%P&coding=%c&charset=%C&hex=%e&operator=%i";

/** A queue that may be away for a number of times. */
class MemoryReports implements CarrierReports {
  readonly events: CarrierEvent[] = [];
  awayFor = 0;
  async enqueueMany(events: readonly CarrierEvent[]) {
    if (this.awayFor > 0) {
      this.awayFor--;
      throw new Error("the queue is away");
    }
    this.events.push(...events);
  }
}

/** A request as it came in, and how it was answered. */
interface Call {
  readonly method: string;
  readonly url: string;
  readonly status: number;
}

/** The ingress function on loopback, behind what does to requests what API Gateway does. */
export class Ingress {
  readonly reports = new MemoryReports();
  readonly calls: Call[] = [];
  readonly log = new RecordingLog();

  private constructor(
    private readonly server: Server,
    readonly secret: string,
  ) {}

  static async start(): Promise<Ingress> {
    const carrierAccounts = new MemoryCarrierAccounts();
    const clock = systemClock;
    const { secret } = await addCarrierAccount(
      { carrierAccounts, clock, randomness: systemRandomness },
      { carrier: "kannel", protocol: "kannel" },
      ["kannel"],
    );
    const server = createServer();
    const ingress = new Ingress(server, secret);
    const lambda = createHttpFunction(
      createHandler({
        authenticate: createAuthenticateCarrier({ carrierAccounts, clock }),
        loadProtocol: async (name) => (name === "kannel" ? kannelProtocol : undefined),
        reports: ingress.reports,
        timeLimit: systemTimeLimit,
        timeoutMs: 4_000,
        clock,
      }),
      ingress.log,
    );
    server.on("request", async (request, response) => {
      const event = await eventOf(request);
      const { statusCode = 500, headers = {}, body = "" } = await lambda(event);
      const { method = "", url = "" } = request;
      ingress.calls.push({ method, url, status: statusCode });
      response.writeHead(statusCode, headers as Record<string, string>).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return ingress;
  }

  /** Where receipts go. @param secret another one than is right, where it is said */
  dlrUrl(secret = this.secret): string {
    return `${this.baseUrl}/dlr?secret=${secret}`;
  }

  /** Where MOs go, with Kannel's escapes. */
  get moUrl(): string {
    return `${this.baseUrl}/mo?secret=${this.secret}&${MO_QUERY}`;
  }

  receiptsOf(id: string): Receipt[] {
    return this.reports.events
      .filter((it) => it.type === "receipt")
      .filter((it) => it.ref.id === id);
  }

  mosOf(phone: string): InboundMessage[] {
    return this.reports.events.filter((it) => it.type === "mo").filter((it) => it.from === phone);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private get baseUrl(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/carriers/kannel`;
  }
}

/** As an HTTP API hands a request on: decoded, as UTF-8 whatever it is, texts not in base64. */
async function eventOf(request: IncomingMessage): Promise<APIGatewayProxyEventV2> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const { pathname, search, searchParams } = new URL(request.url ?? "", "http://ingress");
  const isText = /^text\/|json/.test(request.headers["content-type"] ?? "");
  const { method = "GET", headers } = request;
  return {
    version: "2.0",
    routeKey: `${method} /carriers/{carrier}/${pathname.split("/").at(-1)}`,
    rawPath: pathname,
    rawQueryString: search.slice(1),
    headers: headers as Record<string, string>,
    queryStringParameters: Object.fromEntries(searchParams),
    pathParameters: { carrier: pathname.split("/")[2] ?? "" },
    requestContext: {
      requestId: "request",
      http: { method, path: pathname, sourceIp: "127.0.0.1" },
    },
    body: body.toString(isText ? "utf8" : "base64"),
    isBase64Encoded: !isText,
  } as unknown as APIGatewayProxyEventV2;
}
