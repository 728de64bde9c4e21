// The last line of a test run, for programs: `N passed, 0 failed`, counted from what vitest knows. A test file that did
// not load, and an error that no test caught, count as failed.

import type { Reporter, TestModule } from 'vitest/node'

export class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    let passed = 0
    let failed = unhandled.length
    for (const module of modules) {
      let failedHere = 0
      for (const { state } of [...module.children.allTests()].map((test) => test.result())) {
        if (state === 'passed') passed++
        else if (state === 'failed') failedHere++
      }
      // A file that fails without a failing test did not load, or a hook of it failed.
      failed += failedHere === 0 && module.state() === 'failed' ? 1 : failedHere
    }
    // After the summary that the default reporter prints.
    process.stdout.write(`\n${passed} passed, ${failed} failed\n`)
  }
}
