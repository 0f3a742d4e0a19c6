import { randomUUID } from 'node:crypto'
import type { TaskContext } from '@tributary/connect-api'
import { RateLimitedLog, restoredSequence, TaskMetricsLog } from '@tributary/push-source'
import { FeedReader } from './feed-reader.ts'
import { RecordBuilder } from './record/record-builder.ts'
import { parseConfig, shownUrl, sourcePartitionOf } from './settings.ts'
import { openWebSocket } from './transport/index.ts'

/** Puts the parts of a task together from its settings and the files that they name; no network. Throws ConfigError. */
export function createFeedReader(context: TaskContext): Promise<FeedReader> {
  const config = parseConfig(context.config)
  const sessionId = randomUUID()
  const log = context.log.child(
    {
      connector_name: context.connector,
      websocket_url: shownUrl(config['websocket.url']),
      kafka_topic: config['kafka.topic'],
      session_id: sessionId,
    },
    'io.tributary.connect.websocket',
  )
  log.info('task_starting')
  log.info('session_initialized')
  const sourcePartition = sourcePartitionOf(config)
  const lastSequence = restoredSequence(context.offset(sourcePartition), sessionId, log)
  const builder = new RecordBuilder({ config, sourcePartition, sessionId, lastSequence })
  const busyLog = new RateLimitedLog(log, context.clock)
  const metrics = new TaskMetricsLog(log, context.clock, context.stats, sessionId)
  log.info('task_started', { starting_sequence: lastSequence, queue_capacity: config['websocket.message.queue.size'] })
  return Promise.resolve(new FeedReader({ context, config, open: openWebSocket, log, busyLog, builder, metrics }))
}
