/**
 * How long the tests of one file ran, without the hooks of suites. Reads the completions in the order in which node:test
 * reports them: the children of a suite or test, one nesting level deeper, before the suite or test itself.
 */
export class TestTime {
  /** By nesting level: the time of the tests completed there since the last completion one level above. */
  readonly #byLevel: number[] = [0]

  /** Time of the whole file. Tests that ran at the same time each count in full. */
  get totalMs(): number {
    return this.#byLevel[0]!
  }

  /** @param nesting 0 for the tests and suites of the file itself. */
  completed(nesting: number, durationMs: number, isSuite: boolean): void {
    const insideMs = this.#byLevel[nesting + 1] ?? 0
    this.#byLevel[nesting + 1] = 0
    // A test's own time includes its subtests. A suite has only the time of its tests.
    this.#byLevel[nesting] = (this.#byLevel[nesting] ?? 0) + (isSuite ? insideMs : durationMs)
  }
}
