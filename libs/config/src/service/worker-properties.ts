import { readFileSync } from 'node:fs'
import { parseProperties } from '../providers/properties.ts'
import type { Env } from '../providers/providers.ts'
import type { Keys } from '../spec/spec.ts'
import type { ConfigSpec } from '../spec/define.ts'
import { ConfigException } from '../values/config-exception.ts'
import { envName, type WorkerProperties } from './env.ts'
import { withListener } from './listener-properties.ts'

/** Kafka Connect's names of settings that have another name here. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['bootstrap.servers', 'kafka.brokers'],
  ['client.id', 'kafka.client.id'],
  ['group.id', 'cluster'],
  ['sasl.mechanism', 'kafka.sasl.mechanism'],
])

/** Reads a worker's file of Kafka Connect. Throws ConfigException for a file that cannot be read. */
export function readWorkerProperties(path: string): WorkerProperties {
  let parsed: Map<string, string>
  try {
    parsed = parseProperties(readFileSync(path, 'utf8'))
  } catch (cause) {
    const message = `--properties ${path}: ${(cause as Error).message}`
    throw new ConfigException(message, [{ name: '--properties', message }], { cause })
  }
  const given = [...parsed].filter(([, value]) => value.trim() !== '')
  const entries = new Map(given.map(([name, value]) => [NAMES.get(name) ?? name, { name, value }]))
  return { path, entries: withListener(path, entries) }
}

/**
 * The names in the file that mean nothing to this service. Throws ConfigException when the file asks for a secured
 * connection, whose keys and passwords it has in Java's formats, or for a login at the REST API, and neither the file nor
 * the environment sets one up here.
 */
export function unknownProperties<K extends Keys>(
  spec: ConfigSpec<K>,
  { path, entries }: WorkerProperties,
  env: Env,
): string[] {
  const security = entries.get('security.protocol')?.value.trim().toUpperCase()
  const needed = SECURED.filter(({ protocols, key }) => protocols.includes(security ?? '') && !env[envName(key)])
  if (needed.length > 0) {
    const variables = needed.map(({ key }) => envName(key)).join(' and ')
    const message =
      `security.protocol=${security} in ${path} needs ${variables} in the environment, with the settings that go with ` +
      `them, as stores and JAAS texts of Java are not read.`
    throw new ConfigException(message, [{ name: 'security.protocol', message }])
  }
  mustHaveLogin(spec.data.keys, entries, path, env)
  return [...entries].filter(([key]) => !Object.hasOwn(spec.data.keys, key)).map(([, { name }]) => name)
}

const LOGIN = 'access.authentication'

/** A REST API that asked for a password must not stop to ask when its worker's file is used here. */
function mustHaveLogin(keys: Keys, entries: WorkerProperties['entries'], path: string, env: Env): void {
  const classes = entries.get('rest.extension.classes')?.value ?? ''
  if (!Object.hasOwn(keys, LOGIN) || !classes.includes('BasicAuthSecurityRestExtension')) return
  if (env[envName(LOGIN)] || entries.has(LOGIN)) return
  const variables = ['access.basic.file', 'access.grants.file'].map((key) => envName(key)).join(' and ')
  const message =
    `rest.extension.classes=${classes} in ${path} needs ${envName(LOGIN)}=basic in the environment, with ${variables}, as ` +
    'extensions and JAAS files of Java are not read.'
  throw new ConfigException(message, [{ name: 'rest.extension.classes', message }])
}

const SECURED = [
  { protocols: ['SSL', 'SASL_SSL'], key: 'kafka.tls.enabled' },
  { protocols: ['SASL_PLAINTEXT', 'SASL_SSL'], key: 'kafka.sasl.username' },
]
