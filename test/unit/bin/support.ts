import { Command } from "commander";
import { addCommands } from "../../../bin/admin/commands.ts";
import type { Access, Report } from "../../../bin/admin/session.ts";
import { stackOutputsSchema } from "../../../bin/aws-target.ts";
import type { CarrierHealth, CarrierSlice } from "../../../functions/core/carrier-health.ts";
import type { CarrierOffers } from "../../../functions/core/carrier-offers.ts";
import type { CarrierHealths } from "../../../functions/core/carrier-pool.ts";
import { CountingRandomness, ManualClock, MemoryDirectory } from "../../support/memory.ts";
import {
  MemoryCallbackDeadLetters,
  MemoryCallbackQueue,
  MemoryDeliveries,
  MemoryEndpointHealths,
} from "../../support/memory-callbacks.ts";
import { MemoryCarrierAccounts } from "../../support/memory-carriers.ts";
import {
  MemoryBlockedNumbers,
  MemoryContents,
  MemorySubAccounts,
  MemoryUsageCounters,
  MemoryUsers,
} from "../../support/memory-customers.ts";
import { sampleAccount } from "../../support/samples.ts";

/** How carriers fare, in memory: what a test says. */
class MemoryCarrierHealths implements Pick<CarrierHealths, "load"> {
  readonly healths: CarrierHealth[] = [];
  readonly slices: CarrierSlice[] = [];

  async load(since: number) {
    return { healths: this.healths, slices: this.slices.filter(({ start }) => start >= since) };
  }
}

const outputs = stackOutputsSchema.parse({
  ...Object.fromEntries(Object.keys(stackOutputsSchema.shape).map((name) => [name, name])),
  EndpointProtocols: "https",
  EndpointLoopback: "false",
  CallbackRetentionHours: "168",
  CarrierOffers: "{}",
});

/** A stage in memory, with the account `acme`. */
export function newAccess() {
  const clock = new ManualClock();
  const directory = new MemoryDirectory();
  directory.accounts.set("acme", sampleAccount());
  return {
    directory,
    users: new MemoryUsers(),
    subAccounts: new MemorySubAccounts(),
    contents: new MemoryContents(),
    blockedNumbers: new MemoryBlockedNumbers(),
    usage: new MemoryUsageCounters(),
    carrierAccounts: new MemoryCarrierAccounts(),
    endpointHealths: new MemoryEndpointHealths(),
    deliveries: new MemoryDeliveries(clock),
    callbackQueue: new MemoryCallbackQueue(),
    callbackDeadLetters: new MemoryCallbackDeadLetters(clock),
    callbackRetentionMs: 7 * 86_400_000,
    offers: { kannel: { senders: ["27182", "31415"] }, sandbox: {} } as CarrierOffers | undefined,
    carrierHealths: new MemoryCarrierHealths() as MemoryCarrierHealths | undefined,
    endpointPolicy: {
      protocols: outputs.EndpointProtocols,
      allowLoopback: outputs.EndpointLoopback,
    },
    clock,
    randomness: new CountingRandomness(),
    outputs,
    target: { stage: "local", clientConfig: {}, isLocalRun: true },
    pause: async (ms: number) => clock.advance(ms),
  } satisfies Access;
}

/** Runs a command: words and `'quoted words'`. @returns what it reports */
export async function runCommand(
  access: ReturnType<typeof newAccess>,
  line: string,
): Promise<Report> {
  const reports: Report[] = [];
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  addCommands({
    program,
    connect: async () => access,
    report:
      (command) =>
      async (...args) => {
        reports.push(await command(...args));
      },
  });
  const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare);
  access.clock.advance(1_000);
  await program.parseAsync(words as string[], { from: "user" });
  return reports[0] as Report;
}
