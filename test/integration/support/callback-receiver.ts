import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** A callback as it came in. */
export interface ReceivedCallback {
  readonly path: string;
  readonly contentType: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: what comes over the wire is what is being tested.
  readonly body: any;
}

/** A customer's server: records what is posted to it, and answers as it is told. */
export class CallbackReceiver {
  readonly received: ReceivedCallback[] = [];
  /** The statuses to answer with, one after another; then 200. */
  readonly answers: number[] = [];

  private constructor(private readonly server: Server) {}

  static async start(): Promise<CallbackReceiver> {
    const server = createServer();
    const receiver = new CallbackReceiver(server);
    server.on("request", (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk) => chunks.push(chunk));
      request.on("end", () => {
        receiver.received.push({
          path: request.url ?? "",
          contentType: request.headers["content-type"],
          body: JSON.parse(Buffer.concat(chunks).toString("utf8")),
        });
        response.writeHead(receiver.answers.shift() ?? 200).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/callback`;
  }

  /** The statuses of a message that came in, in order, as `03/120`. */
  statusesOf(id: string): string[] {
    return this.received
      .map(({ body }) => body.callbackMtRequest)
      .filter((callback) => callback?.id === id)
      .map(({ status, statusDetail }) => `${status}/${statusDetail}`);
  }

  /** The MOs that came in. */
  // biome-ignore lint/suspicious/noExplicitAny: what comes over the wire is what is being tested.
  get mos(): any[] {
    return this.received.flatMap(({ body }) => body.callbackMoRequest ?? []);
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
