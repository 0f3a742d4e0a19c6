import { type ConfigOf, defineConfig } from '@tributary/config'
import { flowSettings, reconnectSettings, topicKey } from '@tributary/push-source'

export const reconnect = reconnectSettings('sqs')
export const flow = flowSettings('sqs')

const group = 'Connection'

/** The settings of a Sqs source, beside the framework's. */
export const sqsSpec = defineConfig({
  'sqs.host': {
    type: 'string',
    validator: { kind: 'nonEmpty' },
    importance: 'high',
    group,
    displayName: 'Host',
    doc: 'Host name or address of the server.',
    example: 'localhost',
  },
  'sqs.port': {
    type: 'int',
    validator: { kind: 'range', min: 1, max: 65_535 },
    importance: 'high',
    group,
    displayName: 'Port',
    doc: 'TCP port of the server.',
    example: '7000',
  },
  'sqs.max.line.bytes': {
    type: 'int',
    default: 16_777_216,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group,
    displayName: 'Longest line',
    doc: 'Bytes of one line at most. A longer line fails the task, since skipping the line would lose it.',
  },
  ...topicKey,
  ...reconnect.keys,
  ...flow.keys,
})

export type SqsConfig = ConfigOf<typeof sqsSpec>
