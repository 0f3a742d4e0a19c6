import type { SourcePlugin } from '@tributary/connect-api'
import manifest from '../package.json' with { type: 'json' }
import { SqsSourceConnector } from './connector.ts'
import { previewOf } from './preview.ts'
import { taskParts } from './parts.ts'
import { JVM_CLASS, readSettings } from './settings/read.ts'
import { reconnect } from './settings/spec.ts'
import { sqsTask } from './task.ts'

/** Longest time, in ms, until SQS has answered for one of the queues. */
const CONNECT_TIMEOUT_MS = 60_000

/** Reads SQS queues into Kafka. The alias is the JVM connector that this source replaces. */
export const sqsSource: SourcePlugin = {
  class: 'io.tributary.connect.sqs.SqsSourceConnector',
  aliases: [JVM_CLASS],
  version: manifest.version,
  taskClass: 'io.tributary.connect.sqs.SqsSourceTask',
  metricPrefix: 'sqs',
  reconnectPolicy: (props) => reconnect.policy(readSettings(props), CONNECT_TIMEOUT_MS),
  producerKeys: ['security.protocol', 'sasl.mechanism', 'sasl.jaas.config'],
  preview: (props) => previewOf(readSettings(props)),
  connector: new SqsSourceConnector(),
  createTask: () => sqsTask(taskParts),
}
