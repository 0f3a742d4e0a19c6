import { parseConfig, type Props, type SourcePlugin } from '@tributary/connect-api'
import { pushTask } from '@tributary/push-source'
import manifest from '../package.json' with { type: 'json' }
import { flow, reconnect, type SqsConfig, sqsSpec } from './spec.ts'
import { SqsStream } from './stream.ts'

const parse = (props: Props): SqsConfig => parseConfig(sqsSpec, props)

/** Sqs into Kafka. One connection is one task. */
export const sqsSource: SourcePlugin = {
  class: 'io.tributary.connect.sqs.SqsSourceConnector',
  aliases: [],
  version: manifest.version,
  taskClass: 'io.tributary.connect.sqs.SqsSourceTask',
  reconnectPolicy: (props) => reconnect.policy(parse(props), 30_000),
  connector: {
    spec: sqsSpec.data,
    offsetsOnlyInKafka: true,
    taskConfigs: (props) => [{ ...props }],
  },
  createTask: () =>
    pushTask((context) => {
      const config = parse(context.config)
      const source = new SqsStream(config, context)
      return { source, ...flow.options(config), logFields: { kafka_topic: config['kafka.topic'] } }
    }),
}
