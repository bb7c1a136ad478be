import { clearLine, cursorTo } from "node:readline";
import type { WriteStream } from "node:tty";

/** Tells a step how far it is; the last thing said is shown beside it. */
export type ReportDetail = (detail: string) => void;

/** Shows on the terminal which step is under way and for how long. */
export class Progress {
  readonly #out: NodeJS.WriteStream;
  /** A file or a pipe cannot take a line back, and says only now and then that we still live. */
  readonly #rewrites: boolean;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
    this.#rewrites = out.isTTY === true;
  }

  /** Runs one step and shows it until it has ended, with the time it took. */
  async step<T>(title: string, run: (report: ReportDetail) => Promise<T>): Promise<T> {
    const start = Date.now();
    let detail = "";
    const show = (mark: string) => {
      const seconds = formatSeconds(Date.now() - start);
      const line = `${mark} ${title}${detail && ` · ${detail}`} (${seconds})`;
      if (this.#rewrites) {
        cursorTo(this.#out, 0);
        // A line that wraps could not be taken back.
        this.#out.write(line.slice(0, ((this.#out as WriteStream).columns || 80) - 1));
        clearLine(this.#out, 1);
      } else {
        this.#out.write(`${line}\n`);
      }
    };
    show("…");
    const timer = setInterval(() => show("…"), this.#rewrites ? 250 : 10_000);
    try {
      const result = await run((said) => {
        detail = said;
      });
      detail = "";
      show("✓");
      return result;
    } catch (error) {
      show("✗");
      throw error;
    } finally {
      clearInterval(timer);
      if (this.#rewrites) this.#out.write("\n");
    }
  }
}

/** A duration for people: `0.4 s`, `12 s`, `2 min 05 s`. */
export function formatSeconds(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}
