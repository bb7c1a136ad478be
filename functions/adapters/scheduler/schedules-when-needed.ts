import { whenNeeded } from "../when-needed.ts";
import type { Schedules, SchedulesOfQueue } from "./schedules.ts";

/** Schedules whose client is loaded with the first of them: most messages are due at once. */
export function schedulesWhenNeeded(queue: SchedulesOfQueue): Schedules {
  const schedules = whenNeeded(async () => {
    const { openSchedules } = await import("./client.ts");
    return openSchedules(queue);
  });
  return {
    create: async (...schedule) => (await schedules()).create(...schedule),
    remove: async (...schedule) => (await schedules()).remove(...schedule),
  };
}
