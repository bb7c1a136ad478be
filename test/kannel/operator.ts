import type { AddressInfo, Server } from "node:net";
import smpp, { type Pdu, type Session } from "smpp";

/** One SMS as the operator was handed it, whatever it answered. */
export interface Submit {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** By which of the gateway's binds it came, 1 for the first. */
  readonly bind: number;
  /** How the operator answered; 0 where it took it. */
  readonly status: number;
  /** What the operator calls it; absent where it did not take it. */
  readonly id?: string;
  readonly to: string;
  readonly toType: number;
  readonly from: string;
  readonly fromType: number;
  readonly dataCoding: number;
  readonly esmClass: number;
  readonly priority: number;
  readonly wantsReceipt: boolean;
  /** When the operator is to give up, as it read that. */
  readonly validUntil?: Date;
  /** The header in front of the text, in hex; empty where there is none. */
  readonly header: string;
  /** The text's bytes. */
  readonly bytes: Buffer;
}

/** An SMS that a phone sends. */
export interface PhoneSms {
  readonly from: string;
  readonly to: string;
  readonly bytes: Uint8Array;
  /** SMPP's `data_coding`; 0 where not said. */
  readonly dataCoding?: number;
  /** The header in front of the text, in hex. */
  readonly header?: string;
}

/** What the operator does with a number. */
interface Behaviour {
  /** Answers to the hand-overs of a number, one after another; then it takes it. */
  readonly refuses?: readonly string[];
  /** Its answer to each of them. */
  readonly refusesAlways?: string;
  /** The statuses that receipts tell of, one after another. */
  readonly receipts?: readonly string[];
}

/** By the last four digits; all others are delivered at once. */
const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  "0002": { receipts: ["UNDELIV"] },
  "0003": { receipts: ["ENROUTE", "DELIVRD"] },
  "0004": { receipts: ["ACCEPTD"] },
  "0005": { refuses: ["ESME_RTHROTTLED"] },
  "0006": { receipts: ["EXPIRED"] },
  "0007": { receipts: ["REJECTD"] },
  "0008": { receipts: ["DELETED"] },
  "0009": { receipts: [] },
  "0010": { receipts: ["UNKNOWN"] },
  "0011": { refusesAlways: "ESME_RINVDSTADR" },
  "0012": { refuses: ["ESME_RMSGQFUL"] },
  "0014": { refusesAlways: "ESME_RTHROTTLED" },
  "0013": { receipts: ["DELIVRD", "DELIVRD"] },
};

/** By the names of receipts, those of SMPP's message states. */
const STATES: Readonly<Record<string, string>> = {
  DELIVRD: "DELIVERED",
  UNDELIV: "UNDELIVERABLE",
  EXPIRED: "EXPIRED",
  REJECTD: "REJECTED",
  DELETED: "DELETED",
  UNKNOWN: "UNKNOWN",
  ACCEPTD: "ACCEPTED",
  ENROUTE: "ENROUTE",
};
const ERRORS: Readonly<Record<string, string>> = { UNDELIV: "011", EXPIRED: "027", REJECTD: "099" };

/** A text stays what it is: the bytes that came. */
function keepBytes(): void {
  const { encodings } = smpp;
  encodings.default = "none";
  for (const name of ["ASCII", "LATIN1", "UCS2"]) {
    const encoding = encodings[name];
    if (encoding) encoding.decode = (bytes) => bytes;
  }
}

/** An operator's SMSC (SMPP 3.4) on loopback, that keeps books of everything it is handed. */
export class Operator {
  static readonly PASSWORD = "secret";

  readonly submits: Submit[] = [];
  binds = 0;
  receiptsSent = 0;
  /** How long it takes to answer a submit; milliseconds. */
  answersAfterMs = 0;
  /** How long after its answer the first receipt follows; milliseconds. */
  receiptAfterMs = 5;
  readonly #bound = new Map<Session, number>();
  readonly #refused = new Map<string, number>();

  private constructor(private readonly server: Server) {}

  static async start(port = 0): Promise<Operator> {
    keepBytes();
    let operator: Operator | undefined;
    const server = smpp.createServer((session) => operator?.serve(session));
    operator = new Operator(server);
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    return operator;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get isBound(): boolean {
    return this.#bound.size > 0;
  }

  /** What it took of a number's. */
  takenBy(to: string): Submit[] {
    return this.submits.filter((submit) => submit.to === to && submit.status === 0);
  }

  /** A phone sends an SMS. @returns the gateway's answer, 0 for success @throws where nobody is bound */
  async deliver({ from, to, bytes, dataCoding = 0, header = "" }: PhoneSms): Promise<number> {
    const [session] = this.#bound.keys();
    if (!session) throw new Error("nobody is bound to the operator");
    const response = await new Promise<Pdu>((resolve) =>
      session.deliver_sm(
        {
          source_addr: from,
          source_addr_ton: 1,
          source_addr_npi: 1,
          destination_addr: to,
          esm_class: header ? 0x40 : 0,
          data_coding: dataCoding,
          short_message: Buffer.concat([Buffer.from(header, "hex"), bytes]),
        },
        resolve,
      ),
    );
    return response.command_status;
  }

  async stop(): Promise<void> {
    for (const session of this.#bound.keys()) session.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private serve(session: Session): void {
    session.socket.setNoDelay(true);
    // One for each receipt that it has not taken yet.
    session.setMaxListeners(0);
    session.on("bind_transceiver", (bind: Pdu) => {
      const isWelcome = bind.password === Operator.PASSWORD;
      const status = isWelcome ? 0 : smpp.errors.ESME_RINVPASWD;
      if (isWelcome) {
        this.binds++;
        this.#bound.set(session, this.binds);
      }
      session.send(bind.response({ command_status: status, system_id: "operator" }));
    });
    session.on("enquire_link", (pdu: Pdu) => session.send(pdu.response()));
    session.on("unbind", (pdu: Pdu) => {
      session.send(pdu.response());
      session.close();
    });
    session.on("submit_sm", (pdu: Pdu) => this.take(session, pdu));
    // Before what waits for its end, which is then sent to another.
    session.on("close", () => this.#bound.delete(session));
    // A gateway that is killed resets the connection.
    session.on("error", () => session.destroy());
  }

  private take(session: Session, pdu: Pdu): void {
    const to = String(pdu.destination_addr);
    const behaviour = BEHAVIOURS[to.slice(-4)] ?? {};
    const status = this.statusFor(to, behaviour);
    const id = status === 0 ? String(this.submits.length + 1).padStart(10, "0") : undefined;
    const submit = { ...submitOf(pdu, to, status, id), bind: this.#bound.get(session) ?? 0 };
    this.submits.push(submit);
    const answer = () => {
      session.send(pdu.response(status === 0 ? { message_id: id } : { command_status: status }));
      if (id === undefined || !submit.wantsReceipt) return;
      (behaviour.receipts ?? ["DELIVRD"]).forEach((stat, index) => {
        setTimeout(() => this.sendReceipt(submit, stat), this.receiptAfterMs + index * 200);
      });
    };
    if (this.answersAfterMs > 0) setTimeout(answer, this.answersAfterMs);
    else answer();
  }

  private statusFor(to: string, { refuses = [], refusesAlways }: Behaviour): number {
    const before = this.#refused.get(to) ?? 0;
    const name = refusesAlways ?? refuses[before];
    if (name === undefined) return 0;
    this.#refused.set(to, before + 1);
    return smpp.errors[name] ?? 1;
  }

  /** To whoever is bound by then, until somebody has taken it: an operator keeps its receipts. */
  private sendReceipt(submit: Submit, stat: string): void {
    const [session] = this.#bound.keys();
    if (!session) {
      setTimeout(() => this.sendReceipt(submit, stat), 100).unref();
      return;
    }
    const again = () => this.sendReceipt(submit, stat);
    session.once("close", again);
    session.deliver_sm(receiptOf(submit, stat), () => {
      session.off("close", again);
      this.receiptsSent++;
    });
  }
}

/** What an operator tells of an SMS: in words, and in fields of their own. */
function receiptOf({ to, from, id }: Submit, stat: string): object {
  const date = smppDate(new Date());
  const delivered = stat === "DELIVRD" ? "001" : "000";
  return {
    source_addr: to,
    destination_addr: from,
    esm_class: 4,
    short_message: Buffer.from(
      `id:${id} sub:001 dlvrd:${delivered} submit date:${date} done date:${date} stat:${stat} err:${ERRORS[stat] ?? "000"} text:`,
    ),
    receipted_message_id: id,
    message_state: smpp.consts.MESSAGE_STATE[STATES[stat] ?? "UNKNOWN"],
  };
}

function submitOf(
  pdu: Pdu,
  to: string,
  status: number,
  id: string | undefined,
): Omit<Submit, "bind"> {
  const { udh, message } = pdu.short_message as { udh?: Buffer[]; message: Buffer };
  const validUntil = pdu.validity_period;
  return {
    at: Date.now(),
    status,
    ...(id !== undefined && { id }),
    to,
    toType: Number(pdu.dest_addr_ton),
    from: String(pdu.source_addr),
    fromType: Number(pdu.source_addr_ton),
    dataCoding: Number(pdu.data_coding),
    esmClass: Number(pdu.esm_class),
    priority: Number(pdu.priority_flag),
    wantsReceipt: (Number(pdu.registered_delivery) & 3) !== 0,
    ...(validUntil instanceof Date && { validUntil }),
    header: headerOf(udh ?? []),
    bytes: message,
  };
}

/** With the length in front, as it came. */
function headerOf(elements: readonly Buffer[]): string {
  const header = Buffer.concat(elements);
  return header.length > 0 ? Buffer.from([header.length, ...header]).toString("hex") : "";
}

const smppDate = (at: Date) => at.toISOString().replace(/\D/g, "").slice(2, 12);
