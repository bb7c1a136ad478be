import { SchedulerClient } from "@aws-sdk/client-scheduler";
import { awsClientConfig } from "../aws-client.ts";
import { createSchedules, type Schedules, type SchedulesOfQueue } from "./schedules.ts";

/** Schedules with a client of their own. */
export function openSchedules(queue: SchedulesOfQueue): Schedules {
  return createSchedules({ ...queue, client: new SchedulerClient(awsClientConfig) });
}
