/** One error of one key. `message` is Connect's full sentence and names the key. */
export interface ConfigProblem {
  readonly name: string
  readonly message: string
}

/**
 * Thrown when settings cannot be used and the user must change something. `errors` holds every error of every key. No
 * message contains the value of a secret.
 */
export class ConfigException extends Error {
  /** As in connect-api's errors: never retried, answered with 400 by REST. */
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

/**
 * The text with which Connect answers 400 to an invalid connector configuration (AbstractHerder.maybeAddConfigErrors).
 */
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
