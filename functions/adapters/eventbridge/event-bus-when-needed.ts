import type { EventBus } from "../../core/ports.ts";
import { whenNeeded } from "../when-needed.ts";

/** A bus for who seldom has anything to tell: its client is loaded with the first event. */
export function eventBusWhenNeeded(busName: string): EventBus {
  const bus = whenNeeded(async () => {
    const { openEventBus } = await import("./client.ts");
    return openEventBus(busName);
  });
  return { publish: async (events) => (await bus()).publish(events) };
}
