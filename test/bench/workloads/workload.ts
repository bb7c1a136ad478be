import type { Customer } from "../customer.ts";
import type { World } from "../world.ts";

/** Where a workload happens, and for whom. */
export interface Setting {
  readonly world: World;
  readonly customer: Customer;
  /** Which run it is: ids that clients choose are no other run's. */
  readonly run: number;
}

/** Something that is done to so many messages, from its beginning to its end. */
export interface Workload {
  /** What `--only` calls it. */
  readonly name: string;
  /** What tables and charts call it. */
  readonly title: string;
  /** What happens to how many messages. */
  readonly about: string;
  /** How many messages it is about. */
  readonly messages: number;
  /** How many callbacks come of them. */
  readonly callbacks: number;
  /** Whether it leaves everything as it is, so that what has to be there is made once. */
  readonly isReadOnly?: true;
  /** What has to be there before; nobody measures it. */
  readonly prepare?: (setting: Setting) => Promise<void>;
  /** @throws Error where something else comes of it than should */
  readonly run: (setting: Setting) => Promise<void>;
}

/** The parts of a message's way. */
export const STAGES = {
  accept: "accept → handed over",
  told: "telling of it",
  receipt: "receipt → callback posted",
  event: "report → event on the bus",
  callback: "event → callback posted",
  request: "request → answer",
  mo: "MO → callback posted",
} as const;
