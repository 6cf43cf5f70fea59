// Ends a run with the one line that CI reads: "N passed, N failed".
import type { Reporter, SerializedError, TestModule } from "vitest/node";

/**
 * Counts what passed and what did not. A file that could not be loaded and an error outside any
 * test are failures. So is a skipped test, unless names were chosen (`-t`): what a test needs and
 * does not find must not go unnoticed.
 */
export default class Summary implements Reporter {
  #chosen = false;

  onInit(vitest: Parameters<NonNullable<Reporter["onInit"]>>[0]): void {
    this.#chosen = vitest.config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    let passed = 0;
    let failed = errors.length;
    for (const module of modules) {
      let failedHere = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") passed++;
        else if (state === "failed") failedHere++;
        else if (!this.#chosen) {
          console.log(`skipped, so failed: ${module.relativeModuleId} > ${test.fullName}`);
          failedHere++;
        }
      }
      // Failed with no failed test: the file itself, or a hook of it.
      if (failedHere === 0 && module.state() === "failed") failedHere = 1;
      failed += failedHere;
    }
    console.log(`${passed} passed, ${failed} failed`);
    if (failed > 0) process.exitCode = 1;
  }
}
