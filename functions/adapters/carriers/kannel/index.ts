import { carrierKind } from "../kind.ts";
import { provisions, settings } from "./settings.ts";

/** A Kannel of one's own, which speaks SMPP with the operators (docs/kannel.md). */
export const kannel = carrierKind({
  get settings() {
    return settings;
  },
  get provisions() {
    return provisions;
  },
  takes: "parts",
  load: async () => (await import("./carrier.ts")).createFromStage,
  loadReports: async () => (await import("./reports.ts")).kannelProtocol,
});
