import { ConfigException, defineConfig, type ValuesOf } from '@tributary/config'
import { ConfigError, type Props, type SourcePartition } from '@tributary/connect-api'
import { flowKeys, reconnectKeys, tlsKeys, tlsRules } from './common-keys.ts'
import { connectionKeys, connectionPrefixes, connectionRules } from './connection-keys.ts'
import { heartbeatKeys, heartbeatRules, sessionKeys, sessionPrefixes, sessionRules } from './protocol-keys.ts'
import { recordKeys } from './record-keys.ts'
import { sequenceKeys, sequenceRules } from './sequence-keys.ts'

const keys = {
  ...connectionKeys,
  ...tlsKeys,
  ...sessionKeys,
  ...heartbeatKeys,
  ...reconnectKeys,
  ...flowKeys,
  ...recordKeys,
  ...sequenceKeys,
} as const

/** The settings of a WebSocket source, beside the framework's. */
export const websocketSpec = defineConfig(keys, {
  prefixes: { ...connectionPrefixes, ...sessionPrefixes },
  rules: [...connectionRules, ...tlsRules, ...sessionRules, ...heartbeatRules, ...sequenceRules],
})

/** The parsed settings. */
export type WebSocketConfig = ValuesOf<typeof keys>

/** Parses the settings. Throws ConfigError with all that is wrong with them. */
export function parseConfig(props: Props): WebSocketConfig {
  try {
    return websocketSpec.parse(props)
  } catch (error) {
    if (!(error instanceof ConfigException)) throw error
    throw new ConfigError('CONFIG_INVALID', error.message, { cause: error })
  }
}

/**
 * Every URL of a connector, each a task's. Read from the text of the settings, as tasks are made before `${…}` is resolved:
 * a reference stands for one URL.
 */
export function urlsOf(props: Props): string[] {
  const more = (props['websocket.additional.urls'] ?? '').split(',').map((url) => url.trim())
  return [props['websocket.url']?.trim() ?? '', ...more.filter((url) => url !== '')]
}

/** The one source partition of a task without a stream key; the same as the JVM connector's, so that its offsets are found. */
export function sourcePartitionOf(config: WebSocketConfig): SourcePartition {
  return { websocket_url: config['websocket.url'] }
}

/** A URL as logs, spans and errors may show it: without user, password and query, which often hold a token. */
export function shownUrl(url: string): string {
  const parsed = URL.parse(url)
  // A template may stand where a URL can have none.
  if (parsed === null) return url.replace(/[?#].*$/s, '').replace(/^([^/]*\/\/)[^/]*@/, '$1')
  return `${parsed.protocol}//${parsed.host}${parsed.pathname === '/' ? '' : parsed.pathname}`
}

/** The documents' label: without scheme, other characters than letters, digits, `.`, `_` and `-` as `_`, at most 50. */
export function metricUrl(url: string): string {
  return shownUrl(url)
    .replace(/^wss?:\/\//i, '')
    .replaceAll(/[^a-zA-Z0-9._-]/g, '_')
    .slice(0, 50)
}
