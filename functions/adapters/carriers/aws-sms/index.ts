import { carrierKind } from "../kind.ts";
import { provisions, settings } from "./settings.ts";

/** AWS End User Messaging SMS. */
export const awsSms = carrierKind({
  get settings() {
    return settings;
  },
  get provisions() {
    return provisions;
  },
  takes: "whole",
  load: async () => (await import("./carrier.ts")).createFromStage,
  loadReports: async () => (await import("./reports.ts")).awsSmsProtocol,
});
