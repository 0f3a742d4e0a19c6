/** A step of `npm test`. All its processes have its name in their environment; see leftovers.ts. */
export type Stage = CommandStage | TestStage

interface CommonStage {
  readonly name: string
  /** After this time the stage is ended, and the tests that hang are printed. */
  readonly timeoutMin: number
}

/** A check: a program of node_modules/.bin that ends with 0 on success. */
export interface CommandStage extends CommonStage {
  readonly command: readonly [program: string, ...args: string[]]
}

/** Tests of node:test. */
export interface TestStage extends CommonStage {
  /** Globs, relative to the root of the workspace. */
  readonly files: readonly string[]
  /** Test files that run at the same time. */
  readonly concurrency: number
  /** Whether the run's broker must be up. */
  readonly kafka: boolean
}

export function needsKafka(stage: Stage): boolean {
  return 'kafka' in stage && stage.kafka
}

/** Times of one test file. */
export interface FileTime {
  /** Relative to the root of the workspace. */
  readonly file: string
  /** From the start of the file's process to its end. */
  readonly durationMs: number
  /** The part in which no test ran: imports, and the setup and the cleanup outside the tests. */
  readonly outsideTestsMs: number
}

export interface StageResult {
  readonly name: string
  readonly passed: number
  readonly failed: number
  /** Names of the skipped tests. */
  readonly skipped: readonly string[]
  readonly durationMs: number
  /** One line for each failure. */
  readonly problems: readonly string[]
  /** The times of each test file that ran to its end; empty for a command. */
  readonly files: readonly FileTime[]
  /**
   * The share of the available time, `concurrency` × `durationMs`, that test files used: 0 to 1. Null for a command.
   */
  readonly busy: number | null
}

export interface StageOptions {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** A test file's process that runs no test for this time, in ms, is killed, and the file has failed. */
  readonly idleFileMs: number
  /** Ends the stage. The reason is an Error that says why. */
  readonly signal: AbortSignal
}
