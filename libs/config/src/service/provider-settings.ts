import { compilePattern, PatternError } from '../patterns/pattern.ts'
import type { Pattern } from '../patterns/pattern.ts'
import { directoryProvider, envProvider, fileProvider, PROVIDER_NAMES } from '../providers/providers.ts'
import type { ConfigProvider, ConfigProviders, Env, ProviderName } from '../providers/providers.ts'
import { ConfigException, invalidValue } from '../values/config-exception.ts'
import type { Keys, KeySpec, ValuesOf } from '../spec/spec.ts'

const group = 'Config providers'
const CLASSES: Readonly<Record<ProviderName, string>> = {
  file: 'org.apache.kafka.common.config.provider.FileConfigProvider',
  dir: 'org.apache.kafka.common.config.provider.DirectoryConfigProvider',
  directory: 'org.apache.kafka.common.config.provider.DirectoryConfigProvider',
  env: 'org.apache.kafka.common.config.provider.EnvVarConfigProvider',
}

const allowedPaths = (what: string) =>
  ({
    type: 'list',
    default: [],
    importance: 'medium',
    group,
    doc: `Folders and files from which \${${what}} may read, separated by commas; / for all but /proc, /sys and /dev. A relative path of a reference is looked for in each of them. Needed if config.providers has the provider.`,
  }) as const satisfies KeySpec

const className = (name: ProviderName) =>
  ({
    type: 'string',
    default: CLASSES[name],
    validator: { kind: 'oneOf', values: [CLASSES[name]] },
    importance: 'low',
    group,
    doc: `Kafka's class of the provider ${name}, accepted so that files of Kafka Connect's settings work.`,
  }) as const satisfies KeySpec

/** Settings of the config providers, as in Kafka Connect (KIP-297, KIP-993, KIP-887). All are off by default. */
export const providerSettings = {
  'config.providers': {
    type: 'list',
    default: [],
    importance: 'medium',
    group,
    doc: 'Config providers whose references connector configurations may contain, separated by commas: file (${file:path:key}), dir or directory (${dir:path:name}) and env (${env:NAME}). Empty: none, because references read files and variables of the worker for whoever may write a configuration.',
    example: 'file,env',
  },
  'config.providers.file.param.allowed.paths': allowedPaths('file:path:key'),
  'config.providers.dir.param.allowed.paths': allowedPaths('dir:path:name'),
  'config.providers.directory.param.allowed.paths': allowedPaths('directory:path:name'),
  'config.providers.env.param.allowlist.pattern': {
    type: 'string',
    default: null,
    importance: 'medium',
    group,
    doc: 'Regular expression for the whole names of the variables that ${env:NAME} may read; .* for all but TRIBUTARY_*, KAFKA_*, OTEL_* and NODE_*, which configure the service. KAFKA_USERNAME and KAFKA_PASSWORD may be read. Needed if config.providers has env.',
    example: 'SECRET_.*',
  },
  'config.providers.file.class': className('file'),
  'config.providers.dir.class': className('dir'),
  'config.providers.directory.class': className('directory'),
  'config.providers.env.class': className('env'),
} as const satisfies Keys

/**
 * The variables that configure a service, and the secrets among them. KAFKA_USERNAME and KAFKA_PASSWORD are none: documents of
 * connectors keep the login of a connector's producer there.
 */
const OWN_VARIABLES = /^(?:(?:TRIBUTARY|OTEL|NODE)_|KAFKA_(?!(?:USERNAME|PASSWORD)$))/

/** The providers that parsed `providerSettings` describe. Throws ConfigException for a provider that could read anything, or nothing. */
export function providersFrom(values: ValuesOf<typeof providerSettings>, env: Env): ConfigProviders {
  return Object.fromEntries(values['config.providers'].map((name) => [name, providerOf(name, values, env)]))
}

function providerOf(text: string, values: ValuesOf<typeof providerSettings>, env: Env): ConfigProvider {
  const name = PROVIDER_NAMES.find((known) => known === text)
  if (name === undefined) {
    const known = PROVIDER_NAMES.join(', ')
    throw problem('config.providers', `There is no config provider ${text}: config.providers accepts ${known}`)
  }
  if (name === 'env') {
    const key = 'config.providers.env.param.allowlist.pattern'
    const pattern = values[key]
    if (pattern === null) throw problem(key, `config.providers has env: set ${key} to the variables that may be read`)
    return envProvider(env, expression(key, pattern), (variable) => OWN_VARIABLES.test(variable))
  }
  const key = `config.providers.${name}.param.allowed.paths` as const
  const paths = values[key]
  if (paths.length === 0) throw problem(key, `config.providers has ${name}: set ${key} to the folders that may be read`)
  return name === 'file' ? fileProvider(paths) : directoryProvider(paths)
}

function expression(key: string, pattern: string): Pattern {
  try {
    return compilePattern(pattern, { whole: true })
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    throw problem(key, invalidValue(pattern, key, error.message))
  }
}

function problem(name: string, message: string): ConfigException {
  return new ConfigException(message, [{ name, message }])
}
