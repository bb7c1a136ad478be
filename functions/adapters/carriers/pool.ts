import type { Carrier, Lane } from "../../core/carrier.ts";
import type { PooledCarrier } from "../../core/carrier-pool.ts";
import { createCarrierRate, UNLIMITED } from "../../core/carrier-rate.ts";
import type { Randomness, TimeLimit } from "../../core/ports.ts";
import type { RateCounter } from "../../core/rate-limit.ts";
import type { ToldCarrier } from "./env.ts";
import type { CarrierKind, CarrierResources } from "./kind.ts";
import { CARRIER_KINDS } from "./registry.ts";

/** What carriers, and the limits on them, are made from. */
export interface PoolResources extends Omit<CarrierResources, "name"> {
  readonly lane: Lane;
  /** How many functions may hand over at once. */
  readonly functions: number;
  readonly counter: RateCounter;
  readonly timeLimit: TimeLimit;
  readonly randomness: Pick<Randomness, "fraction">;
  readonly onFailure: (what: string, error: unknown) => void;
}

/**
 * The carriers of a stage. The code of each is loaded when it is handed its first message.
 * @throws ZodError where the environment lacks what a carrier needs to know
 */
export function createCarriers(
  told: Readonly<Record<string, ToldCarrier>>,
  resources: PoolResources,
): PooledCarrier[] {
  return Object.entries(told).map(([name, settings]) => ({
    carrier: createCarrier(name, settings, resources),
    rate:
      settings.maxPerSecond === undefined
        ? UNLIMITED
        : createCarrierRate({
            ...resources,
            carrier: name,
            perSecond: settings.maxPerSecond,
            onFailure: (error) => resources.onFailure("SMS could not be counted", error),
          }),
    senders: settings.senders,
    demotion: settings.demotion,
  }));
}

function createCarrier(name: string, settings: ToldCarrier, resources: PoolResources): Carrier {
  const kind: CarrierKind = CARRIER_KINDS[settings.kind];
  const known = { ...kind.settings.strip().parse(settings), ...kind.provisions.parse(settings) };
  let loading: Promise<Carrier> | undefined;
  async function load(): Promise<Carrier> {
    const create = await kind.load();
    return create(known, { ...resources, name });
  }
  return {
    name,
    takes: kind.takes,
    async send(message) {
      let carrier: Carrier;
      try {
        loading ??= load();
        carrier = await loading;
      } catch (error) {
        loading = undefined;
        return { kind: "unreachable", detail: `the carrier could not be loaded: ${String(error)}` };
      }
      return carrier.send(message);
    },
  };
}
