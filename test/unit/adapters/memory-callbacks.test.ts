import {
  describeDeliveries,
  describeEndpointHealths,
  describeEndpointSlots,
} from "../../support/callback-stores-contract.ts";
import {
  MemoryDeliveries,
  MemoryEndpointHealths,
  MemoryEndpointSlots,
} from "../../support/memory-callbacks.ts";

describeDeliveries("deliveries in memory", (clock) => new MemoryDeliveries(clock));
describeEndpointHealths("endpoints' health in memory", () => new MemoryEndpointHealths());
describeEndpointSlots(
  "endpoints' slots in memory",
  (clock, slots) => new MemoryEndpointSlots(slots, clock),
);
