import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll } from "vitest";

/** A callback as it came in. */
export interface ReceivedCallback {
  /** When all of it was there; milliseconds since the epoch. */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly contentType: string | undefined;
  /** The body as it came, which is what is signed. */
  readonly raw: string;
  // biome-ignore lint/suspicious/noExplicitAny: what comes over the wire is what is being tested.
  readonly body: any;
}

/** How a customer's server answers: with a status, with more than that, or never. */
export type Answer =
  | number
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  | "never";

/** A customer's server: records what comes to it, and answers as it is told. */
export class CallbackReceiver {
  readonly received: ReceivedCallback[] = [];
  /** What to answer with, one after another; then `otherwise`. */
  readonly answers: Answer[] = [];
  otherwise: Answer = 200;
  /** When whoever waited for an answer stopped waiting; milliseconds since the epoch. */
  readonly givenUpAt: number[] = [];

  private constructor(private readonly server: Server) {}

  static async start(): Promise<CallbackReceiver> {
    const server = createServer();
    const receiver = new CallbackReceiver(server);
    server.on("request", async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const raw = Buffer.concat(chunks).toString("utf8");
      receiver.received.push({
        at: Date.now(),
        method: request.method ?? "",
        path: request.url ?? "",
        headers: Object.fromEntries(
          Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
        ),
        contentType: request.headers["content-type"],
        raw,
        body: raw === "" ? undefined : JSON.parse(raw),
      });
      const answer = receiver.answers.shift() ?? receiver.otherwise;
      if (answer === "never") {
        response.on("close", () => receiver.givenUpAt.push(Date.now()));
        return;
      }
      const { status, headers, body } = typeof answer === "number" ? { status: answer } : answer;
      response.writeHead(status, headers).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/callback`;
  }

  /** What came in, each once: the same can be told more than once, by the same id. */
  get distinct(): ReceivedCallback[] {
    const ids = this.received.map(({ headers }) => headers["webhook-id"]);
    return this.received.filter((_, index) => ids.indexOf(ids[index]) === index);
  }

  /** The statuses of a message that came in, in order, as `03/120`. */
  statusesOf(id: string): string[] {
    return this.received
      .map(({ body }) => body?.callbackMtRequest)
      .filter((callback) => callback?.id === id)
      .map(({ status, statusDetail }) => `${status}/${statusDetail}`);
  }

  /** The MOs that came in. */
  // biome-ignore lint/suspicious/noExplicitAny: what comes over the wire is what is being tested.
  get mos(): any[] {
    return this.received.flatMap(({ body }) => body?.callbackMoRequest ?? []);
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

/**
 * For the tests of a file.
 * @returns what starts a server that answers with these, and stops with the last of the tests
 */
export function receiversOfTests(): (...answers: Answer[]) => Promise<CallbackReceiver> {
  const started: CallbackReceiver[] = [];
  afterAll(() => {
    for (const receiver of started) receiver.stop();
  });
  return async (...answers) => {
    const receiver = await CallbackReceiver.start();
    started.push(receiver);
    receiver.answers.push(...answers);
    return receiver;
  };
}
