import {
  addCounts,
  type CarrierHealth,
  type CarrierSlice,
  goodCarrier,
  NO_COUNTS,
} from "../../functions/core/carrier-health.ts";
import type { Clock } from "../../functions/core/ports.ts";
import { isoTime } from "./output.ts";
import type { Report } from "./session.ts";
import type { knownCarriers } from "./stage-carriers.ts";

/** How far back hand-overs are summed up. */
const MINUTES = 5;

/** Reports how each carrier of the stage fares. */
export async function reportStatus(
  { offers, carrierHealths }: ReturnType<typeof knownCarriers>,
  clock: Clock,
): Promise<Report> {
  const { healths, slices } = await carrierHealths.load(clock.now() - MINUTES * 60_000);
  const carriers = Object.keys(offers).map((name) =>
    describeHealth(
      healths.find(({ carrier }) => carrier === name) ?? goodCarrier(name),
      slices.filter(({ carrier }) => carrier === name),
    ),
  );
  return {
    lines: [
      ...carriers.map(statusLine),
      `SMS of the last ${MINUTES} minutes. In time: receipts, of those that are awaited.`,
    ],
    json: { carriers },
  };
}

const describeHealth = (
  { carrier, state, reason, percent, since, until, demotions }: CarrierHealth,
  slices: readonly CarrierSlice[],
) => ({
  carrier,
  state,
  ...(reason && { reason }),
  ...(percent !== undefined && { percent }),
  ...(since > 0 && { since: isoTime(since) }),
  ...(until !== undefined && { until: isoTime(until) }),
  demotions,
  minutes: MINUTES,
  ...slices.reduce((total, { counts }) => addCounts(total, counts), NO_COUNTS),
});

/** What a percentage is of, by the reason of the demotion. */
const OF_HUNDRED = { failures: "failed", "slow-receipts": "receipts were late" } as const;

const statusLine = (it: ReturnType<typeof describeHealth>) =>
  [
    it.carrier,
    it.state,
    ...(it.reason ? [`${it.percent ?? "?"} of a hundred ${OF_HUNDRED[it.reason]}`] : []),
    ...(it.since === undefined ? [] : [`since ${it.since}`]),
    ...(it.until === undefined
      ? []
      : [`${it.state === "trial" ? "until" : "tried again from"} ${it.until}`]),
    `${it.handedOver} handed over, ${it.failed} failed, ${it.awaited} awaited, ${it.prompt} in time`,
  ].join("  ");
