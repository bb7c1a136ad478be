import type { State } from "../../functions/core/lifecycle.ts";
import type { CarrierPlan, EndpointPlan, SmsPlan } from "./scenario.ts";
import type { Invocation } from "./simulation.ts";

/** What a client was told of a message that it sent. */
export interface SentByClient {
  readonly account: string;
  readonly id: string;
  readonly plan: SmsPlan;
  /** The detail codes of the answers, and `none` for a request that was not answered with 2xx. */
  readonly answers: string[];
  /** The detail codes of the answers to cancellations. */
  readonly cancellations: string[];
}

/** A state that a message came into, as the stream of the table shows it. */
export interface StateSeen {
  readonly state: State;
  readonly reason: string | undefined;
  readonly account: string;
  readonly id: string;
  readonly parts: number;
  readonly callbackOption: string | undefined;
}

/** That the carrier has got hold of a message, or of a part. */
export interface HandOver {
  readonly traceId: string;
  readonly account: string;
  readonly id: string;
  readonly part: number;
  readonly at: number;
  readonly by: Invocation;
  readonly plan: CarrierPlan;
  /** Whether whoever did it has written it down, in the table or in the queue. */
  isRecorded: boolean;
}

/** An MO, as the stream of the table shows it. */
export interface StoredMo {
  readonly account: string;
  readonly moId: string;
  readonly text: string;
}

/** A request to a customer. */
export interface Post {
  readonly endpoint: EndpointOfWorld;
  readonly deliveryId: string;
  readonly body: string;
  readonly at: number;
  readonly isTaken: boolean;
}

/** A customer's endpoint. */
export interface EndpointOfWorld {
  readonly account: string;
  readonly endpointId: string;
  readonly url: string;
  readonly plan: EndpointPlan;
}

/** What happened in a run, as everybody outside could see it. */
export class Ledger {
  readonly sent: SentByClient[] = [];
  /** By trace. */
  readonly histories = new Map<string, StateSeen[]>();
  /** Traces whose item was removed again, because nobody was told of it. */
  readonly withdrawn = new Set<string>();
  readonly handOvers: HandOver[] = [];
  readonly posts: Post[] = [];
  readonly endpoints: EndpointOfWorld[] = [];
  /** The texts of the MOs that the carrier reported, and whether they are somebody's. */
  readonly mosReported = new Map<string, boolean>();
  readonly mosStored: StoredMo[] = [];
  /** Accounts of which parts may be counted too many: a request was not answered, or giving back failed. */
  readonly mayCountTooMuch = new Set<string>();
  /** What functions asked for that their roles do not let them do. */
  readonly denied = new Set<string>();
  /** The tokens of what was counted, by the owner and their place in its counters, in order. */
  readonly counted = new Map<string, string[]>();
}
