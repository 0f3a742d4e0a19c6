/** A step of `npm test`. All of its processes carry its name in their environment, see leftovers.ts. */
export type Stage = CommandStage | TestStage

interface CommonStage {
  readonly name: string
  /** After this it is ended and what hung is printed. */
  readonly timeoutMin: number
}

/** One check: a program of node_modules/.bin that ends with 0 when all is well. */
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

/** What one test file took. */
export interface FileTime {
  /** Relative to the root of the workspace. */
  readonly file: string
  /** From the start of its process to the end. */
  readonly durationMs: number
  /** The part in which no test ran: imports, and what a file sets up and takes down outside its tests. */
  readonly outsideTestsMs: number
}

export interface StageResult {
  readonly name: string
  readonly passed: number
  readonly failed: number
  /** Names of the skipped tests. */
  readonly skipped: readonly string[]
  readonly durationMs: number
  /** One line for each thing that failed. */
  readonly problems: readonly string[]
  /** Of each test file that ran to its end; none for a command. */
  readonly files: readonly FileTime[]
  /** What of the time that was there, `concurrency` × `durationMs`, test files used: 0 to 1. Null for a command. */
  readonly busy: number | null
}

export interface StageOptions {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** Ends the stage; its reason is an Error that says why. */
  readonly signal: AbortSignal
}
