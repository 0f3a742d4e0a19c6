import { defineConfig, type ValuesOf } from '@tributary/config'
import { BODY_KEYS, BODY_REGISTRY_KEYS, BODY_RULES } from '@tributary/converters/body'
import { type Predecessor, type Props, type SourcePartition, writtenText } from '@tributary/connect-api'
import { reconnectSettings, spillingFlowSettings, tlsSettings } from '@tributary/push-source'
import { codeKeys, connectionKeys, connectionPrefixes, connectionRules, serverNameKey } from './connection-keys.ts'
import {
  heartbeatKeys,
  heartbeatRules,
  initializationKeys,
  initializationPrefixes,
  initializationRules,
} from './protocol-keys.ts'
import { recordKeys } from './record-keys.ts'
import { sequenceKeys, sequenceRules } from './sequence-keys.ts'

export const tls = tlsSettings('websocket')
export const reconnect = reconnectSettings('websocket')
export const flow = spillingFlowSettings('websocket')

const keys = {
  ...connectionKeys,
  ...tls.keys,
  ...serverNameKey,
  ...initializationKeys,
  ...heartbeatKeys,
  ...reconnect.keys,
  ...codeKeys,
  ...flow.keys,
  ...recordKeys,
  ...BODY_KEYS,
  ...BODY_REGISTRY_KEYS,
  ...sequenceKeys,
} as const

/** The configuration keys of a WebSocket source, in addition to the framework's. */
export const websocketSpec = defineConfig(keys, {
  prefixes: { ...connectionPrefixes, ...initializationPrefixes },
  rules: [...connectionRules, ...tls.rules, ...initializationRules, ...heartbeatRules, ...sequenceRules, ...BODY_RULES],
})

/** The parsed configuration. */
export type WebSocketConfig = ValuesOf<typeof keys>

/**
 * Every URL of a connector; each URL becomes one task. The URLs are read from the raw properties because the framework
 * makes task configurations before it resolves `${…}`; a reference counts as one URL.
 */
export function urlsOf(props: Props): string[] {
  const more = (props['websocket.additional.urls'] ?? '').split(',').map((url) => url.trim())
  return [props['websocket.url']?.trim() ?? '', ...more.filter((url) => url !== '')]
}

/** The URL of a task, for everyone to read: with its references `${…}`, and without user and password. `written`: see TaskContext. */
export function writtenUrl(config: WebSocketConfig, written?: Props): string {
  return withoutUserInfo(writtenText(written, 'websocket.url', config['websocket.url']))
}

/**
 * The source partition of a task without a stream key. It equals the JVM connector's, so that its offsets are found, but for user
 * and password and for references: everyone may read it.
 */
export function sourcePartitionOf(config: WebSocketConfig, written?: Props): SourcePartition {
  return { websocket_url: writtenUrl(config, written) }
}

/** The URL as it is written, without user and password (RFC 3986, section 3.2.1). Templates and references may stand in any place. */
export function withoutUserInfo(url: string): string {
  return url.replace(/^([^/?#]*\/\/)(?:\$\{[^}]*\}|\$(?!\{)|[^/?#$])*@/, '$1')
}

/**
 * Looks up offsets. Those of the JVM connector are found too, in whose source partitions the references of the URL are resolved, and
 * it has its user and password; and those of earlier versions, without the latter.
 */
export function offsetsOf(
  config: WebSocketConfig,
  offsets: Pick<Predecessor, 'offset'>,
  written?: Props,
): Predecessor['offset'] {
  const { 'websocket.url': url } = config
  const former = new Set([withoutUserInfo(url), url])
  former.delete(writtenUrl(config, written))
  return (partition) => {
    let found = offsets.offset(partition)
    for (const websocket_url of former) found ??= offsets.offset({ ...partition, websocket_url })
    return found
  }
}

/** A URL for logs, spans and errors: without user, password and query, which often hold a token. */
export function shownUrl(url: string): string {
  const parsed = URL.parse(url)
  // A template may stand in a place where a URL allows no braces.
  if (parsed === null) return withoutUserInfo(url).replace(/[?#].*$/s, '')
  return `${parsed.protocol}//${parsed.host}${parsed.pathname === '/' ? '' : parsed.pathname}`
}

/**
 * The URL as the documented metric label `url`: without scheme, at most 50 characters, each character other than
 * letters, digits, `.`, `_` and `-` replaced by `_`.
 */
export function metricUrl(url: string): string {
  return shownUrl(url)
    .replace(/^wss?:\/\//i, '')
    .replaceAll(/[^a-zA-Z0-9._-]/g, '_')
    .slice(0, 50)
}
