/** What the operator simulator uses of `smpp`, which brings no types. */
declare module "smpp" {
  import type { EventEmitter } from "node:events";
  import type { Server as NetServer, Socket } from "node:net";

  export interface Pdu {
    readonly command_status: number;
    readonly [field: string]: unknown;
    response(options?: object): Pdu;
  }

  export interface Session extends EventEmitter {
    readonly socket: Socket;
    send(pdu: Pdu): boolean;
    deliver_sm(options: object, onResponse?: (response: Pdu) => void): boolean;
    close(): void;
    destroy(): void;
  }

  interface Smpp {
    createServer(onSession: (session: Session) => void): NetServer;
    readonly encodings: Record<string, { decode(bytes: Buffer): unknown }> & { default: unknown };
    readonly errors: Readonly<Record<string, number>>;
    readonly consts: { readonly MESSAGE_STATE: Readonly<Record<string, number>> };
  }
  const smpp: Smpp;
  export default smpp;
}
