import { defineConfig } from "vitest/config";

/** Every project but `integration` runs without anything outside the process. */
export default defineConfig({
  test: {
    root: `${import.meta.dirname}/..`,
    // Its reminder that Node 20 will not be supported for ever says nothing of a test.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" },
    reporters: ["default", "./test/support/tally-reporter.ts"],
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts"],
          // No test mocks a module, so each is loaded once.
          isolate: false,
          maxWorkers: 2,
          // Properties take as long as they take; on a machine that does other things, too, that is long.
          testTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: "infra",
          include: ["test/infra/**/*.test.ts"],
          testTimeout: 60_000,
          // Few processes for all, so that stages are not synthesised again and again.
          isolate: false,
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: {
          name: "faults",
          include: ["test/faults/**/*.test.ts"],
          globalSetup: "./test/faults/setup.ts",
          // They take all there is of the machine, which the integration tests need for themselves.
          maxWorkers: 2,
          testTimeout: 1_800_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "kannel",
          include: ["test/kannel/**/*.test.ts"],
          globalSetup: "./test/kannel/setup.ts",
          // One Kannel after another, and nothing beside them: they kill and restart what they count.
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          globalSetup: "./test/integration/setup.ts",
          // Most of their time they wait, for the emulator or for a clock; so they come by themselves.
          maxWorkers: 4,
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
