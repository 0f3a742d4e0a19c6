import { runOutsideScopes } from '../isolation/plugin-scope.ts'
import type { FormerRun } from './predecessor-run.ts'

/**
 * The run of a task on another worker, which the first run here follows. It is asked to end once, by whichever run here gets
 * that far first: a changed configuration, or a failure, may bring another one meanwhile.
 */
export class Elsewhere implements FormerRun {
  /** It has ended, and the task is this worker's. */
  over = false
  readonly #former: FormerRun
  #finishing: Promise<string | null> | null = null

  constructor(former: FormerRun) {
    this.#former = former
  }

  finish(connected: boolean): Promise<string | null> {
    this.#finishing ??= this.#finish(connected)
    return this.#finishing
  }

  async #finish(connected: boolean): Promise<string | null> {
    const memo = await runOutsideScopes(() => this.#former.finish(connected))
    this.over = true
    return memo
  }
}
