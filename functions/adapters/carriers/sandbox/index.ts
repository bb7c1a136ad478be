import { carrierKind } from "../kind.ts";
import { provisions, settings } from "./settings.ts";

/** The carrier without phones, for staging and local runs. */
export const sandbox = carrierKind({
  get settings() {
    return settings;
  },
  get provisions() {
    return provisions;
  },
  takes: "parts",
  load: async () => (await import("./carrier.ts")).createFromStage,
  loadReports: async () => (await import("./reports.ts")).sandboxProtocol,
});
