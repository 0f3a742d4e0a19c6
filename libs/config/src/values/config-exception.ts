/** One error of one key; `message` is Connect's full sentence, the key included. */
export interface ConfigProblem {
  readonly name: string
  readonly message: string
}

/**
 * The settings cannot be used; the user must change something. Carries every error of every key, never only the first.
 * No message holds the value of a secret.
 */
export class ConfigException extends Error {
  /** The kind that connect-api's errors have: not retried, 400 by REST. */
  readonly kind = 'config'
  readonly code: string
  readonly errors: readonly ConfigProblem[]

  constructor(
    message: string,
    errors: readonly ConfigProblem[],
    options?: { readonly code?: string; readonly cause?: unknown },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'ConfigException'
    this.code = options?.code ?? 'CONFIG_INVALID'
    this.errors = errors
  }
}

/** The frame in which Connect answers 400 to an invalid connector config (AbstractHerder.maybeAddConfigErrors). */
export function connectFrame(errors: readonly ConfigProblem[]): string {
  return [
    `Connector configuration is invalid and contains the following ${errors.length} error(s):`,
    ...errors.map((e) => e.message),
    'You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`',
  ].join('\n')
}

export function invalidValue(value: string | null, name: string, reason: string): string {
  return `Invalid value ${value} for configuration ${name}: ${reason}`
}

export function missingValue(name: string): string {
  return `Missing required configuration "${name}" which has no default value.`
}
