import { redactor, resolveReferences, secretsOf } from '@tributary/config'
import type { Props, SourcePlugin } from '@tributary/connect-api'

/** The sources of values that a stored configuration does not hold. */
export interface PropsEnvironment {
  /** Worker-wide values of task keys, such as `errors.tolerance` or `producer.compression.type`. */
  readonly defaults: Props
  /** The environment variables that `${env:…}` reads. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** A task's configuration with its references resolved, over the worker's defaults. */
export interface ResolvedProps {
  readonly props: Props
  /** Replaces the configuration's secrets in a text. */
  readonly redact: (text: string) => string
}

/** Resolves the `${…}` of a stored configuration. No other function does this. Throws ConfigError. */
export function resolveProps(
  { defaults, environment }: PropsEnvironment,
  plugin: SourcePlugin,
  stored: Props,
): ResolvedProps {
  const resolved = resolveReferences(stored, environment)
  const props = { ...defaults, ...resolved.props }
  return { props, redact: redactor([...resolved.secrets, ...secretsOf(plugin.connector.spec, props)]) }
}

export function sameProps(a: Props, b: Props): boolean {
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key])
}
