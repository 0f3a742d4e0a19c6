import { defineConfig, type ValuesOf } from '@tributary/config'
import { connectionKeys } from './spec/connection.ts'
import { flowKeys } from './spec/flow.ts'
import { reconnectKeys } from './spec/reconnect.ts'
import { recordKeys } from './spec/record.ts'
import { sessionKeys } from './spec/session.ts'

const keys = { ...connectionKeys, ...sessionKeys, ...reconnectKeys, ...flowKeys, ...recordKeys } as const

/** The settings of a WebSocket source, beside the framework's. */
export const websocketSpec = defineConfig(keys)

/** The parsed settings. */
export type WebSocketConfig = ValuesOf<typeof keys>
