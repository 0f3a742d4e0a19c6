import { defineConfig } from '@tributary/config'
import { parseConfig, type Props } from '@tributary/connect-api'
import { schemaRegistryErrors } from './errors.ts'
import { CLIENT_KEYS, type ClientSettings, REGISTRY_PREFIXES } from './keys.ts'
import { checkStoreTypes } from './tls.ts'

const spec = defineConfig(CLIENT_KEYS, { prefixes: REGISTRY_PREFIXES })

/** Throws ConfigError with everything that is wrong with the settings. */
export function readSettings(props: Props): ClientSettings {
  const settings = { ...parseConfig(spec, props), headers: spec.prefixed(props, 'request.header.') }
  const refuse = (field: string, reason: string): never => {
    throw schemaRegistryErrors.SCHEMA_REGISTRY_CONFIG(`Invalid value for configuration ${field}: ${reason}`, { field })
  }
  const needs = (field: keyof typeof CLIENT_KEYS, because: string): void => {
    if (settings[field] === null || settings[field] === '') refuse(field, `${because} needs it`)
  }
  switch (settings['basic.auth.credentials.source']) {
    case 'SASL_INHERIT':
      refuse(
        'basic.auth.credentials.source',
        'SASL_INHERIT would take the login of the worker to Kafka, which connectors do not see; use USER_INFO and basic.auth.user.info',
      )
      break
    case 'USER_INFO':
      if (userInfo(settings) === null) needs('basic.auth.user.info', 'USER_INFO')
  }
  const source = settings['bearer.auth.credentials.source']
  if (source === 'STATIC_TOKEN') needs('bearer.auth.token', source)
  if (source === 'OAUTHBEARER') {
    for (const key of ['issuer.endpoint.url', 'client.id', 'client.secret'] as const)
      needs(`bearer.auth.${key}`, source)
    const url = URL.parse(settings['bearer.auth.issuer.endpoint.url'] ?? '')
    if (!/^https?:$/.test(url?.protocol ?? '')) refuse('bearer.auth.issuer.endpoint.url', 'it is no URL')
  }
  checkStoreTypes(settings)
  return settings
}

/** `user:password`; null: none. */
export function userInfo(settings: ClientSettings): string | null {
  const info = settings['basic.auth.user.info'] ?? settings['schema.registry.basic.auth.user.info']
  return info?.reveal() || null
}
