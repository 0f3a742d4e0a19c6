import { redactor, resolveReferences, secretsOf } from '@tributary/config'
import type { Props, SourcePlugin } from '@tributary/connect-api'

/** Where values that a stored configuration does not hold come from. */
export interface PropsEnvironment {
  /** Worker-wide values of task keys, such as `errors.tolerance` or `producer.compression.type`. */
  readonly defaults: Props
  /** What `${env:…}` reads. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** A task's configuration with its references resolved and the worker's defaults below it. */
export interface ResolvedProps {
  readonly props: Props
  /** Hides the secrets of the configuration in a text. */
  readonly redact: (text: string) => string
}

/** Resolves the `${…}` of a stored configuration. Nothing else does. Throws ConfigError. */
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
