import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { vi } from "vitest";
import { createKannelCarrier } from "../../functions/adapters/carriers/kannel/carrier.ts";
import { createExchanges } from "../../functions/adapters/carriers/kannel/exchange.ts";
import { createCredentials } from "../../functions/adapters/carriers/kannel/secret.ts";
import { settings as settingsSchema } from "../../functions/adapters/carriers/kannel/settings.ts";
import type { SecretValues } from "../../functions/adapters/carriers/kind.ts";
import type { Carrier, OutboundMessage } from "../../functions/core/carrier.ts";
import { segmentsOf } from "../../functions/core/segments.ts";
import { systemClock } from "../../functions/runtime/system.ts";
import { Ingress } from "./ingress.ts";
import { Kannel, type KannelOptions, PASSWORD, USERNAME } from "./kannel.ts";
import { Operator } from "./operator.ts";

const PATIENCE_MS = 20_000;

/** Waits until the assertions in `check` hold; fails with the last one that did not. */
export function eventually<T>(check: () => T | Promise<T>, timeout = PATIENCE_MS): Promise<T> {
  return vi.waitFor(check, { timeout, interval: 50 });
}

/** An operator, a Kannel, and what Kannel reports to. */
export interface Rig {
  readonly operator: Operator;
  readonly kannel: Kannel;
  readonly ingress: Ingress;
  stop(): Promise<void>;
}

/** Starts all three, the operator first, so that Kannel is bound when this resolves. */
export async function startRig(options: Pick<KannelOptions, "more" | "moBy"> = {}): Promise<Rig> {
  const directory = await mkdtemp(join(tmpdir(), "torpedo-kannel-"));
  const operator = await Operator.start();
  const ingress = await Ingress.start();
  const { moUrl } = ingress;
  const kannel = await Kannel.start({ directory, operatorPort: operator.port, moUrl, ...options });
  await eventually(() => {
    if (!operator.isBound) throw new Error("Kannel is not bound to the operator");
  });
  return {
    operator,
    kannel,
    ingress,
    async stop() {
      await kannel.stop();
      await operator.stop();
      await ingress.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The secret of a rig's Kannel. */
export const secretOf = ({ ingress }: Rig): SecretValues => ({
  username: USERNAME,
  password: PASSWORD,
  dlrUrl: ingress.dlrUrl(),
});

/** The carrier, as a stage makes it of its settings, with a secret that does not have to be fetched. */
export function carrierOf(
  rig: Rig,
  set: object = {},
  secret: { values: SecretValues; changed?: SecretValues } = { values: secretOf(rig) },
): Carrier {
  const {
    url,
    secret: _,
    ...settings
  } = settingsSchema.parse({
    url: rig.kannel.url,
    secret: "arn:aws:secretsmanager:sa-east-1:123456789012:secret:kannel-AbCdEf",
    ...set,
  });
  const values = {
    read: async () => secret.values,
    reread: async () => secret.changed ?? secret.values,
  };
  return createKannelCarrier({
    name: "kannel",
    settings,
    credentials: createCredentials(values, systemClock),
    exchange: createExchanges(url),
    clock: systemClock,
    pause,
  });
}

/** A message of one part, as dispatch hands it over; Kannel is told a sender, having none of its own. */
export const messageOf = (
  id: string,
  destination: string,
  text = "Hello",
  more: Partial<OutboundMessage> = {},
): OutboundMessage => ({
  ref: { account: "acme", id, traceId: `trace-${id}` },
  destination,
  text,
  segments: segmentsOf([text])[0] as OutboundMessage["segments"],
  lane: "singles",
  sender: "27182",
  flash: false,
  ...more,
});
