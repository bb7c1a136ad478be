import type { Reporter, TestModule, TestRunEndReason } from "vitest/node";

/** Ends a run with one line that counts it: `123 passed, 0 failed`. */
export default class TallyReporter implements Reporter {
  onTestRunEnd(
    modules: readonly TestModule[],
    unhandledErrors: readonly unknown[],
    reason: TestRunEndReason,
  ): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    const brokenModules = modules.filter((module) => module.state() === "failed").length;
    const known = Math.max(count("failed"), brokenModules) + unhandledErrors.length;
    // What fails before any test has run counts as well.
    const failed = reason === "failed" ? Math.max(known, 1) : known;
    const skipped = count("skipped");
    const tally = `${count("passed")} passed, ${failed} failed`;
    console.log(skipped > 0 ? `${tally}, ${skipped} skipped` : tally);
  }
}
