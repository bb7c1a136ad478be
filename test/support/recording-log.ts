import type { Log, Meter } from "../../functions/runtime/telemetry.ts";

/** A log that can be read. */
export class RecordingLog implements Log {
  readonly infos: Record<string, unknown>[] = [];
  readonly errors: Record<string, unknown>[] = [];
  info(message: string, fields = {}) {
    this.infos.push({ message, ...fields });
  }
  error(message: string, fields = {}) {
    this.errors.push({ message, ...fields });
  }
}

/** A meter whose counts and times can be read. */
export class RecordingMeter implements Meter {
  readonly counts: Record<string, number> = {};
  readonly times: Record<string, number[]> = {};
  flushes = 0;
  count(name: string, value = 1) {
    this.counts[name] = (this.counts[name] ?? 0) + value;
  }
  time(name: string, ms: number) {
    this.times[name] = [...(this.times[name] ?? []), ms];
  }
  flush() {
    this.flushes++;
  }
}
