// How vitest runs test/: `vitest run` the tests, `vitest run --mode soak` those of minutes.
import { defineConfig } from "vitest/config";

export default defineConfig(({ mode }) => ({
  test: {
    include: [mode === "soak" ? "test/soak/**/*.soak.ts" : "test/**/*.test.ts"],
    // Processes, not threads: tests enter network namespaces and load native addons.
    pool: "forks",
    // More would share the CPUs that the traffic of the other tests needs.
    maxWorkers: mode === "soak" ? 1 : 2,
    testTimeout: mode === "soak" ? 1_800_000 : 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
    allowOnly: false,
    // It would be root's in a checkout that is not (`make test` uses sudo).
    cache: false,
    reporters: ["default", "./test/reporter.ts"],
  },
}));
