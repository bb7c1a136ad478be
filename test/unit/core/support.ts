import type fc from "fast-check";
import type { SendRequest } from "../../../functions/core/accept-message.ts";
import type { Carrier, OutboundMessage, SendOutcome } from "../../../functions/core/carrier.ts";
import type { DispatchDependencies } from "../../../functions/core/dispatch-message.ts";
import type { SubAccount } from "../../../functions/core/sub-account.ts";
import type { User } from "../../../functions/core/user.ts";
import { CountingRandomness, ManualTimeLimit } from "../../support/memory.ts";
import { MemoryBlockedNumbers } from "../../support/memory-customers.ts";
import { SimplePool } from "../../support/simple-pool.ts";

/** A good request of one short message. */
export const sampleRequest = (overrides: Partial<SendRequest> = {}): SendRequest => ({
  dialect: "mesago",
  id: "id-1",
  destination: "5519900001111",
  text: "Hello",
  flash: false,
  ...overrides,
});

/** A cost centre of `sampleAccount`'s, without limits. */
export const sampleSubAccount = (overrides: Partial<SubAccount> = {}): SubAccount => ({
  version: 1,
  account: "acme",
  subAccount: "sales",
  limits: { prepaid: false },
  createdAt: 0,
  revision: 0,
  ...overrides,
});

/** A user of `sampleAccount`'s: a regular one, for `sampleSubAccount`. */
export const sampleUser = (overrides: Partial<User> = {}): User => ({
  version: 1,
  account: "acme",
  username: "ana",
  role: "regular",
  subAccount: "sales",
  state: "active",
  tokens: [],
  createdAt: 0,
  revision: 0,
  ...overrides,
});

/** A text of so many parts, for an account that sends long messages and cuts them as Mesago does. */
export const textOfParts = (parts: number) => "x".repeat(parts === 1 ? 1 : 152 * (parts - 1) + 9);

/** A carrier that takes everything, and remembers what. */
export class WillingCarrier implements Carrier {
  readonly name = "willing";
  readonly takes = "parts";
  readonly handedOver: OutboundMessage[] = [];

  async send(message: OutboundMessage): Promise<SendOutcome> {
    this.handedOver.push(message);
    return { kind: "accepted", carrierMessageId: message.ref.id, receipts: true };
  }
  /** The ids of the messages handed over, in order. */
  get ids() {
    return this.handedOver.map(({ ref }) => ref.id);
  }
}

/** What dispatch needs: these ports, and three attempts. */
export function dispatchDependencies<
  Ports extends Pick<DispatchDependencies, "messages" | "dispatchQueue" | "clock">,
>({ carrier, ...ports }: Ports & { readonly carrier: Carrier }) {
  return {
    ...ports,
    carriers: new SimplePool(carrier) as DispatchDependencies["carriers"],
    lane: "singles" as DispatchDependencies["lane"],
    blockedNumbers: new MemoryBlockedNumbers(),
    randomness: new CountingRandomness(),
    timeLimit: new ManualTimeLimit(),
    claimTimeoutMs: 15_000,
    carrierTimeoutMs: 10_000,
    backoff: { maxAttempts: 3, baseMs: 1_000, capMs: 60_000 },
    leaseMs: 30_000,
    lastCallMs: 60_000,
  };
}

type Method = (...args: unknown[]) => unknown;

/** A port of which every call of a method goes through `call`; the rest is the port's own. */
function wrapped<Port extends object>(
  port: Port,
  call: (method: string, run: () => unknown) => Promise<unknown>,
): Port {
  return new Proxy(port, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) =>
        call(String(name), () => (value as Method).apply(target, args));
    },
  });
}

/** A port whose calls take effect, and are answered, when the scheduler says so. */
export function interleaved<Port extends object>(scheduler: fc.Scheduler, port: Port): Port {
  return wrapped(port, async (method, run) => {
    await scheduler.schedule(Promise.resolve(), method);
    try {
      return await run();
    } finally {
      await scheduler.schedule(Promise.resolve(), `answer of ${method}`);
    }
  });
}

/** What a call meets: it fails and does nothing, or does its work and its answer is lost. */
export type Fault = "refused" | "answer lost";
export const FAULTS: readonly Fault[] = ["refused", "answer lost"];

/** Ports of which certain calls fail, counted over all of them. */
export class FaultyPorts {
  /** The methods called so far, in order. */
  readonly calls: string[] = [];
  readonly #faultOf: (method: string, call: number) => Fault | undefined;

  /** @param faultOf told the method, and which call of all it is, 0 for the first */
  constructor(faultOf: (method: string, call: number) => Fault | undefined) {
    this.#faultOf = faultOf;
  }

  wrap<Port extends object>(port: Port): Port {
    return wrapped(port, async (method, run) => {
      const fault = this.#faultOf(method, this.calls.push(method) - 1);
      if (fault === "refused") throw new Error(`${method} is refused`);
      const answer = await run();
      if (fault === "answer lost") throw new Error(`the answer of ${method} is lost`);
      return answer;
    });
  }
}
