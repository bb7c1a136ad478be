import type { BatchJob } from "../core/batch.ts";
import { type BatchDependencies, expandBatch, releaseBatch } from "../core/expand-batch.ts";

/** Does a job on a batch. */
export function createHandler(deps: BatchDependencies) {
  return async (job: BatchJob) =>
    job.kind === "expand" ? expandBatch(deps, job) : releaseBatch(deps, job);
}
