import { type ConfigProviders, hasReferences, resolveReferences, secretsOf } from '@tributary/config'
import type { Props, SourcePlugin } from '@tributary/connect-api'
import { type OwnTransforms, transformSecrets } from './transformations.ts'

/** The sources of values that a stored configuration does not hold. */
export interface PropsEnvironment {
  /** Worker-wide values of task keys, such as `errors.tolerance` or `producer.compression.type`. */
  readonly defaults: Props
  /** Read the values of `${provider:…}`. */
  readonly providers: ConfigProviders
  /** Transforms and predicates of the service's own, whose specs name secrets. Absent: none. */
  readonly transforms?: OwnTransforms
}

/** A task's configuration with its references resolved, over the worker's defaults. */
export interface ResolvedProps {
  readonly props: Props
  /** The same with its references as they are written. */
  readonly written: Props
  /** What must not be shown of it, for `hideSecrets`. */
  readonly secrets: readonly string[]
}

/** Resolves the `${…}` of a stored configuration. No other function does this. Throws ConfigException. */
export async function resolveProps(
  { defaults, providers, transforms }: PropsEnvironment,
  plugin: SourcePlugin,
  stored: Props,
): Promise<ResolvedProps> {
  const resolved = await resolveReferences(stored, providers)
  const props = { ...defaults, ...resolved.props }
  const written = { ...defaults, ...stored }
  const declared = [...secretsOf(plugin.connector.spec, props), ...transformSecrets(props, transforms)]
  return { props, written, secrets: [...resolved.secrets, ...declared] }
}

/** Whether a stored configuration has values that a config provider reads. */
export function refersToProviders(stored: Props): boolean {
  return Object.values(stored).some(hasReferences)
}

export function sameProps(a: Props, b: Props): boolean {
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key])
}
