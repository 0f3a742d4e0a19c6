import { parseConfig, type Props, type SourcePlugin } from '@tributary/connect-api'
import { bodyReader, registryError } from '@tributary/converters/body'
import { checkOffsets, checkTls, deniedServer, endpointOf, pushTask } from '@tributary/push-source'
import manifest from '../package.json' with { type: 'json' }
import { sseErrors } from './errors.ts'
import { flow, reconnect, request, type SseConfig, sseSpec, tls } from './spec.ts'
import { idIn, partitionOf, SseStream } from './stream.ts'

const parse = (props: Props): SseConfig => parseConfig(sseSpec, props)
const hostOf = (config: SseConfig): string => new URL(config['sse.url']).host

/** Server-Sent Events (WHATWG HTML, section 9.2) into Kafka. One stream is one task. */
export const sseSource: SourcePlugin = {
  class: 'io.tributary.connect.sse.SseSourceConnector',
  aliases: [],
  version: manifest.version,
  taskClass: 'io.tributary.connect.sse.SseSourceTask',
  metricPrefix: 'sse',
  metricLabels: (props) => ({ server: hostOf(parse(props)) }),
  reconnectPolicy: (props) => reconnect.policy(parse(props), 30_000),
  preview: (props) => ({ sources: [hostOf(parse(props))] }),
  connector: {
    spec: sseSpec.data,
    offsetsOnlyInKafka: true,
    taskConfigs: (props) => [{ ...props }],
    exactlyOnce: (props) => parse(props)['sse.require.ids'],
    validate: async (props, signal) => {
      const config = parse(props)
      request.headers(config, props)
      bodyReader(config, props)
      const denied = await deniedServer(endpointOf(new URL(config['sse.url'])))
      const found = [...(await checkTls(tls.settings(config), signal)), denied, await registryError(props)]
      const errors = found.filter((error) => error !== null)
      return errors.map(({ field = 'sse.url', message }) => ({ field, message }))
    },
    checkOffsets: (props, offsets, written = props) => {
      checkOffsets(offsets, partitionOf(parse(props), written), { last_event_id: 'string' }, sseErrors.SSE_OFFSET)
      for (const { offset } of offsets) idIn(offset)
    },
  },
  createTask: () =>
    pushTask((context) => {
      const config = parse(context.config)
      const logFields = { sse_server: hostOf(config), kafka_topic: config['kafka.topic'] }
      return { source: new SseStream(config, context), ...flow.options(config), logFields }
    }),
}
