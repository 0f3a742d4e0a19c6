import { randomUUID } from 'node:crypto'
import type { TaskContext } from '@tributary/connect-api'
import { RateLimitedLog, restoredSequence, TaskMetricsLog } from '@tributary/push-source'
import { createDialer } from './dialer.ts'
import { FeedReader } from './feed-reader.ts'
import { createRecordSource } from './record/create-record-source.ts'
import { messageDecoder } from './record/decode-message.ts'
import { planSession } from './session/index.ts'
import { parseConfig, shownUrl, sourcePartitionOf } from './settings.ts'
import { openWebSocket } from './transport/index.ts'

/** Puts the parts of a task together from its settings and the files that they name; no network. Throws ConfigError. */
export async function createFeedReader(context: TaskContext): Promise<FeedReader> {
  const { clock, stats } = context
  const config = parseConfig(context.config)
  const url = shownUrl(config['websocket.url'])
  const sessionId = randomUUID()
  const log = context.log.child(
    {
      connector_name: context.connector,
      websocket_url: url,
      kafka_topic: config['kafka.topic'],
      session_id: sessionId,
    },
    'io.tributary.connect.websocket',
  )
  log.info('task_starting')
  log.info('session_initialized')
  const plan = planSession(config, context.config)
  const dialer = await createDialer(config, context.config, openWebSocket, log)
  const sourcePartition = sourcePartitionOf(config)
  const lastSequence = restoredSequence(context.offset(sourcePartition), sessionId, log)
  const busyLog = new RateLimitedLog(log, clock)
  const records = createRecordSource({ context, config, sessionId, lastSequence, busyLog })
  const metrics = new TaskMetricsLog(log, clock, stats, sessionId)
  const values = { clock, sessionId, signer: plan.signer }
  const decode = messageDecoder(config)
  const queueCapacity = config['websocket.message.queue.size']
  log.info('websocket_client_starting', {
    url,
    queue_capacity: queueCapacity,
    connection_timeout_ms: config['websocket.connection.timeout.ms'],
    reconnect_enabled: config['websocket.reconnect.enabled'],
  })
  log.info('task_started', { starting_sequence: lastSequence, queue_capacity: queueCapacity })
  return new FeedReader({ context, config, dialer, plan, values, decode, log, busyLog, records, metrics })
}
