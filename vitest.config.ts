// How vitest runs test/: `vitest run` the tests, with `--mode soak` or `--mode kernel` those of minutes.
import { defineConfig } from "vitest/config";

const MINUTES = ["soak", "kernel"];

export default defineConfig(({ mode }) => ({
  test: {
    include: [MINUTES.includes(mode) ? `test/${mode}/**/*.${mode}.ts` : "test/**/*.test.ts"],
    // Processes, not threads: tests enter network namespaces and load native addons.
    pool: "forks",
    // More would share the CPUs that the traffic of the other tests needs.
    maxWorkers: MINUTES.includes(mode) ? 1 : 2,
    testTimeout: MINUTES.includes(mode) ? 1_800_000 : 120_000,
    hookTimeout: MINUTES.includes(mode) ? 1_800_000 : 120_000,
    teardownTimeout: 30_000,
    allowOnly: false,
    // It would be root's in a checkout that is not (`make test` uses sudo).
    cache: false,
    reporters: ["default", "./test/reporter.ts"],
  },
}));
