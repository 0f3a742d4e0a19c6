import { defineConfig, type ValuesOf } from '@tributary/config'
import { connectionKeys, connectionPrefixes, connectionRules } from './spec/connection.ts'
import { flowKeys } from './spec/flow.ts'
import { heartbeatKeys, heartbeatRules } from './spec/heartbeat.ts'
import { reconnectKeys } from './spec/reconnect.ts'
import { recordKeys } from './spec/record.ts'
import { sequenceKeys, sequenceRules } from './spec/sequence.ts'
import { sessionKeys, sessionPrefixes, sessionRules } from './spec/session.ts'
import { tlsKeys, tlsRules } from './spec/tls.ts'

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
