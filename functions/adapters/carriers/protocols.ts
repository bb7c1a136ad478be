import type { ReportProtocol } from "../../core/carrier.ts";
import type { CarrierKind } from "./kind.ts";
import { CARRIER_KINDS } from "./registry.ts";

const KINDS: Readonly<Record<string, CarrierKind>> = CARRIER_KINDS;

/** Every way of reporting over HTTP that a carrier account can name. */
export const PROTOCOL_NAMES = Object.keys(KINDS).filter((kind) => KINDS[kind]?.loadReports);

/** The way of reporting of this name; undefined where there is none. */
export async function loadProtocol(name: string): Promise<ReportProtocol | undefined> {
  return Object.hasOwn(KINDS, name) ? KINDS[name]?.loadReports?.() : undefined;
}
