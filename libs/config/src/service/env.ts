import type { ConfigProblem } from '../values/config-exception.ts'
import { parseConfig } from '../spec/define.ts'
import type { ConfigSpec } from '../spec/define.ts'
import type { Env } from '../providers/providers.ts'
import type { Keys, KeySpec, ValuesOf } from '../spec/spec.ts'

/** The settings of a `connect-distributed.properties`, by their names here. */
export interface WorkerProperties {
  readonly path: string
  /** `name`: as the file has it. An empty value counts as unset. */
  readonly entries: ReadonlyMap<string, { readonly name: string; readonly value: string }>
}

/**
 * Reads the settings of a service from environment variables: `admin.port` from `TRIBUTARY_ADMIN_PORT`, or from the
 * variable that the key's `env` names. An empty variable counts as unset, and then the entry of `file` counts. A boolean
 * may be written 1 or 0. Throws ConfigException with every error, each named by its variable or by its name in the file.
 */
export function fromEnv<K extends Keys>(spec: ConfigSpec<K>, env: Env, file?: WorkerProperties): ValuesOf<K> {
  const props: Record<string, string> = {}
  const sources = new Map<string, string>()
  for (const [name, key] of Object.entries(spec.data.keys)) {
    let value = env[envName(name, key)] || undefined
    const entry = file?.entries.get(name)
    if (value === undefined && entry) {
      value = entry.value
      sources.set(name, `${entry.name} in ${file?.path}`)
    }
    if (value === undefined) continue
    props[name] = key.type === 'boolean' ? (SWITCHES[value] ?? value) : value
  }
  const describe = (errors: readonly ConfigProblem[]): string => {
    const lines = errors.map((e) => `${sources.get(e.name) ?? envName(e.name, spec.data.keys[e.name])}: ${e.message}`)
    return [`The settings contain the following ${errors.length} error(s):`, ...lines].join('\n')
  }
  return parseConfig(spec.data, props, describe) as ValuesOf<K>
}

/** Common ways to write booleans in an environment. */
const SWITCHES: Readonly<Record<string, string>> = { '1': 'true', '0': 'false' }

/** The environment variable of a key: `kafka.client.id` → `TRIBUTARY_KAFKA_CLIENT_ID`. */
export function envName(name: string, spec?: Pick<KeySpec, 'env'>): string {
  return spec?.env ?? `TRIBUTARY_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`
}
