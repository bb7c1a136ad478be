import type { ReportProtocol } from "../../core/carrier.ts";
import { sandboxProtocol } from "./sandbox-reports.ts";

/** Every way of reporting over HTTP that a carrier account can name. */
export const PROTOCOLS: Readonly<Record<string, ReportProtocol>> = { sandbox: sandboxProtocol };
