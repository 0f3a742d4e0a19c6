import type { ConfigProblem } from '../values/config-exception.ts'
import { parseConfig } from '../spec/define.ts'
import type { ConfigSpec } from '../spec/define.ts'
import type { Env } from '../providers/providers.ts'
import type { Keys, KeySpec, ValuesOf } from '../spec/spec.ts'

/**
 * Reads the settings of a service from environment variables: `admin.port` from `TRIBUTARY_ADMIN_PORT`, or from the
 * variable that the key's `env` names. An empty variable counts as unset. A boolean may be written 1 or 0. Throws
 * ConfigException with every error, each named by its variable.
 */
export function fromEnv<K extends Keys>(spec: ConfigSpec<K>, env: Env): ValuesOf<K> {
  const props: Record<string, string> = {}
  for (const [name, key] of Object.entries(spec.data.keys)) {
    const value = env[envName(name, key)]
    if (value === undefined || value === '') continue
    props[name] = key.type === 'boolean' ? (SWITCHES[value] ?? value) : value
  }
  const describe = (errors: readonly ConfigProblem[]): string => {
    const lines = errors.map((e) => `${envName(e.name, spec.data.keys[e.name])}: ${e.message}`)
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
