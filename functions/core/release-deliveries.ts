import type { Delivery, ReleaseJob } from "./callback-delivery.ts";
import type { CallbackQueue, Deliveries } from "./callback-ports.ts";
import { begunAnew, turnOf } from "./deliver-callbacks.ts";
import type { Clock } from "./ports.ts";
import { slicesOf } from "./slices.ts";

/** What letting deliveries go on needs. */
export interface ReleaseDependencies {
  readonly deliveries: Pick<Deliveries, "listParked" | "record">;
  readonly queue: Pick<CallbackQueue, "enqueueLater" | "enqueueRelease">;
  readonly clock: Clock;
}

/** An endpoint that comes back is met by so many in each round, so that it stays. */
const DELIVERIES_PER_ROUND = 200;
const ROUND_SECONDS = 2;
const AT_ONCE = 20;
/** Until its turn comes it is recorded. */
const HEAD_START_MS = 5_000;

/**
 * Has a delivery told again, from the beginning of its schedule of retries.
 *
 * @returns false where a turn of it was taken meanwhile
 * @throws whatever the queue or the store throws; it may then be asked for again
 */
export async function releaseDelivery(
  {
    deliveries,
    queue,
    clock,
  }: Pick<ReleaseDependencies, "clock"> & {
    readonly deliveries: Pick<Deliveries, "record">;
    readonly queue: Pick<CallbackQueue, "enqueueLater">;
  },
  delivery: Delivery,
  retentionMs: number,
): Promise<boolean> {
  const turn = turnOf(delivery);
  const now = clock.now();
  // In this order: a turn that comes is taken, whatever is recorded.
  await queue.enqueueLater({ ...turn, aside: true }, now + HEAD_START_MS);
  const recorded = await deliveries.record(turn, begunAnew(delivery, { now, retentionMs }));
  return recorded !== undefined;
}

/**
 * Does a part of a job that lets deliveries go on, and puts the rest of it into the queue.
 *
 * @returns how many deliveries go on
 * @throws whatever the store or the queue throws; the job is then to come again
 */
export async function releaseDeliveries(
  deps: ReleaseDependencies & { readonly retentionMs: number },
  job: ReleaseJob,
): Promise<number> {
  const parked = await deps.deliveries.listParked(job, job, DELIVERIES_PER_ROUND);
  if (parked.length === 0) return 0;
  for (const slice of slicesOf(parked, AT_ONCE)) {
    await Promise.all(slice.map((delivery) => releaseDelivery(deps, delivery, deps.retentionMs)));
  }
  await deps.queue.enqueueRelease(job, ROUND_SECONDS);
  return parked.length;
}
