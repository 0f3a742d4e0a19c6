/** What a command ends with. Scripts rely on these numbers: README.md lists them. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  refused: 4,
  unreachable: 5,
  differs: 6,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** An error for people: what happened to which thing and why, and beside it what to do next. Neither holds a secret. */
export class CliError extends Error {
  override readonly name: string = 'CliError'
  readonly exitCode: ExitCode
  /** Sentences; null: there is nothing to do about it. */
  readonly advice: string | null

  constructor(exitCode: ExitCode, message: string, advice: string | null = null, cause?: unknown) {
    super(message, { cause })
    this.exitCode = exitCode
    this.advice = advice
  }
}

export const usageError = (message: string, advice: string | null = null): CliError =>
  new CliError(EXIT.usage, message, advice)

/** An answer with a status of 400 or above. */
export class HttpError extends CliError {
  override readonly name = 'HttpError'
  readonly status: number
  /** Without its query. */
  readonly path: string

  constructor(exitCode: ExitCode, status: number, path: string, message: string, advice: string | null) {
    super(exitCode, message, advice)
    this.status = status
    this.path = path
  }
}
