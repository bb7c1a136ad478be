import { type ShareFigures, sumOfShares } from "../measure.ts";

/** The floor of several shares; undefined where none was measured. */
export const floorOf = (shares: readonly ShareFigures[]): number | undefined =>
  shares.some(({ floorCpuMs }) => floorCpuMs !== undefined)
    ? sumOfShares(shares, ({ floorCpuMs }) => floorCpuMs ?? 0)
    : undefined;
