import { defineConfig } from '@tributary/config'
import { serviceSettings } from '@tributary/service'

const group = 'Feed'

/** The feed's settings: `TRIBUTARY_FEED_GRPC_PORT` and so on. */
export const feedSettings = defineConfig({
  ...serviceSettings.keys,
  'feed.host': {
    type: 'string',
    default: '127.0.0.1',
    validator: { kind: 'nonEmpty' },
    importance: 'medium',
    group,
    doc: 'Address on which the gRPC server and the WebSocket server listen.',
  },
  'feed.grpc.port': {
    type: 'int',
    default: 0,
    validator: { kind: 'range', min: 0, max: 65_535 },
    importance: 'medium',
    group,
    doc: 'Port of the gRPC server. 0: a free port, which the log event service_started names.',
  },
  'feed.ws.port': {
    type: 'int',
    default: 0,
    validator: { kind: 'range', min: 0, max: 65_535 },
    importance: 'medium',
    group,
    doc: 'Port of the WebSocket server. 0: a free port, which the log event service_started names.',
  },
  'feed.sqs.endpoint': {
    type: 'string',
    default: null,
    importance: 'medium',
    group,
    doc: "Endpoint of an SQS service that gets quotes, such as http://127.0.0.1:9324. Region and credentials are those of AWS's own variables. Absent: none gets any.",
  },
  'feed.sqs.queue': {
    type: 'string',
    default: 'tributary-demo',
    validator: { kind: 'nonEmpty' },
    importance: 'low',
    group,
    doc: 'The queue for the quotes, which is created if it is not there.',
  },
})
