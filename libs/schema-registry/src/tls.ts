import { X509Certificate } from 'node:crypto'
import type * as tls from 'node:tls'
import { readRegularFile } from '@tributary/config'
import { schemaRegistryErrors } from './errors.ts'
import type { ClientSettings } from './keys.ts'

/**
 * Reads the options of TLS: `schema.registry.ssl.*` in Kafka's words. Called for each connection, so that a renewed certificate is used.
 * Rejects with ConfigError for a file that cannot be read, is no PEM, or is a store of Java.
 */
export async function readTls(settings: ClientSettings): Promise<tls.ConnectionOptions> {
  const ca = await material(settings, 'truststore', 'schema.registry.ssl.truststore.certificates', 'CERTIFICATE')
  const store = await material(settings, 'keystore', 'schema.registry.ssl.keystore.certificate.chain', 'CERTIFICATE')
  const key = settings['schema.registry.ssl.keystore.key']?.reveal() ?? store
  const passphrase = settings['schema.registry.ssl.key.password']?.reveal()
  if (store !== null && !/-----BEGIN (?:[A-Z]+ )?(?:ENCRYPTED )?PRIVATE KEY-----/.test(key ?? '')) {
    throw invalid('schema.registry.ssl.keystore.location', 'the key store has no PEM private key')
  }
  return {
    ...(ca === null ? {} : { ca }),
    ...(store === null ? {} : { cert: store, key: key! }),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(settings['schema.registry.ssl.endpoint.identification.algorithm'] === ''
      ? { checkServerIdentity: () => undefined }
      : {}),
  }
}

/** What a setting refuses before any file is read. Throws ConfigError. */
export function checkStoreTypes(settings: ClientSettings): void {
  for (const store of ['truststore', 'keystore'] as const) {
    const type = settings[`schema.registry.ssl.${store}.type`]
    if (type !== null && type.toUpperCase() !== 'PEM') throw javaStore(settings, store)
  }
}

async function material(
  settings: ClientSettings,
  store: 'truststore' | 'keystore',
  inline: 'schema.registry.ssl.truststore.certificates' | 'schema.registry.ssl.keystore.certificate.chain',
  label: string,
): Promise<string | null> {
  const field = `schema.registry.ssl.${store}.location` as const
  const path = settings[field]
  if (path === null || path === '') return settings[inline] || null
  let text: string
  try {
    text = (await readRegularFile(path)).toString('latin1')
  } catch (cause) {
    throw invalid(field, `cannot read ${path}: ${(cause as Error).message}`, cause)
  }
  if (!text.includes('-----BEGIN ')) throw javaStore(settings, store)
  if (!text.includes(`-----BEGIN ${label}-----`)) throw invalid(field, `${path} has no PEM certificate`)
  try {
    new X509Certificate(text.slice(text.indexOf(`-----BEGIN ${label}-----`)))
  } catch (cause) {
    throw invalid(field, `${path} has no PEM certificate that can be read`, cause)
  }
  return text
}

function javaStore(settings: ClientSettings, store: 'truststore' | 'keystore'): Error {
  const field = `schema.registry.ssl.${store}.location` as const
  const path = settings[field] ?? 'STORE'
  return invalid(
    field,
    `${path} is a store of Java, which is not read. Set schema.registry.ssl.${store}.type=PEM and name a file of PEM, such as ` +
      `the output of: keytool -importkeystore -srckeystore ${path} -destkeystore store.p12 -deststoretype PKCS12 && openssl pkcs12 -in store.p12 -nodes`,
  )
}

function invalid(field: string, reason: string, cause?: unknown): Error {
  return schemaRegistryErrors.SCHEMA_REGISTRY_CONFIG(`Invalid value for configuration ${field}: ${reason}`, {
    field,
    cause,
  })
}
