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

export interface StageResult {
  readonly name: string
  readonly passed: number
  readonly failed: number
  /** Names of the skipped tests. */
  readonly skipped: readonly string[]
  readonly durationMs: number
  /** One line for each thing that failed. */
  readonly problems: readonly string[]
}

export interface StageOptions {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** Ends the stage; its reason is an Error that says why. */
  readonly signal: AbortSignal
}
