import { defineConfig } from "vitest/config"
import type { Reporter } from "vitest/node"

/** Closes the run with one plain line, for those who read logs by program. */
const closingLine: Reporter = {
  onTestRunEnd(modules, unhandledErrors, reason) {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 }
    for (const module of modules) {
      // A file that fails while it loads has errors of its own and no tests to count.
      if (module.errors().length > 0) count.failed++
      for (const test of module.children.allTests()) count[test.result().state]++
    }
    if (reason === "failed" && count.failed === 0) count.failed = 1
    const skipped = count.skipped + count.pending
    console.log(
      `${count.passed} passed, ${count.failed} failed` + (skipped > 0 ? `, ${skipped} skipped` : "")
    )
  }
}

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/setup.ts"],
    reporters: ["default", closingLine],
    // One module graph for all files: importing Effect costs 0.3 s to 0.6 s, and isolation pays it for every file.
    pool: "threads",
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Time is moved by Effect's TestClock alone.
    fakeTimers: { toFake: [] }
  }
})
