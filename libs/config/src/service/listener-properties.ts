import { ConfigException } from '../values/config-exception.ts'
import type { WorkerProperties } from './env.ts'

type Entries = WorkerProperties['entries']
type Entry = { readonly name: string; readonly value: string }

const PREFIX = 'listeners.https.'
const LISTENER = /^https:\/\/(\[[^\]]*\]|[^:/\s]*):(\d{1,5})\/?$/i

/**
 * Puts our settings in place of Kafka Connect's for a listener with TLS: `listeners=https://host:port` and the keys `ssl.…`, or,
 * if there are any, only those that begin with `listeners.https.`. Of the formats of keys PEM is read (KIP-651), as files or as
 * text. Without such a listener nothing changes: the keys `ssl.…` then are those of the connection to Kafka. Throws
 * ConfigException for stores of Java.
 */
export function withListener(path: string, entries: Entries): Entries {
  const listeners = entries.get('listeners')
  const [, host, port] =
    LISTENER.exec(
      listeners?.value
        .split(',')
        .find((each) => /^\s*https:/i.test(each))
        ?.trim() ?? '',
    ) ?? []
  if (listeners === undefined || host === undefined || port === undefined) return entries
  const all = new Map(entries)
  all.delete('listeners')
  const prefix = [...entries.keys()].some((key) => key.startsWith(`${PREFIX}ssl.`)) ? PREFIX : ''
  const take = (key: string): Entry | undefined => {
    const entry = entries.get(prefix + key)
    all.delete(prefix + key)
    return entry
  }
  const put = (key: string, entry: Entry | undefined): void => {
    if (entry !== undefined && !entries.has(key)) all.set(key, entry)
  }
  put('rest.host', { name: 'listeners', value: host.replace(/^\[|\]$/g, '') || '0.0.0.0' })
  put('rest.port', { name: 'listeners', value: port })
  for (const store of ['keystore', 'truststore'] as const) {
    const type = take(`ssl.${store}.type`)
    const location = take(`ssl.${store}.location`)
    take(`ssl.${store}.password`)
    const isJava = type?.value.trim().toUpperCase() !== 'PEM'
    if (location !== undefined && isJava) throw javaStore(path, location, prefix + `ssl.${store}`)
    if (store === 'truststore') put('tls.ca', location ?? take('ssl.truststore.certificates'))
    else {
      put('tls.cert', location ?? take('ssl.keystore.certificate.chain'))
      put('tls.key', location ?? take('ssl.keystore.key'))
    }
  }
  put('tls.key.password', take('ssl.key.password'))
  put('tls.client.auth', take('ssl.client.auth'))
  return all
}

function javaStore(path: string, { name, value }: Entry, store: string): ConfigException {
  const message =
    `${name}=${value} in ${path} is a store of Java, which is not read. Set ${store}.type=PEM and name a file of PEM, such as ` +
    `the output of: keytool -importkeystore -srckeystore ${value} -destkeystore store.p12 -deststoretype PKCS12 && openssl pkcs12 -in store.p12 -nodes`
  return new ConfigException(message, [{ name, message }])
}
