import { type ConfigOf, defineConfig } from '@tributary/config'
import { BODY_KEYS, BODY_REGISTRY_KEYS, BODY_RULES } from '@tributary/converters/body'
import {
  flowSettings,
  HTTP_SOURCE_HEADERS,
  reconnectSettings,
  requestSettings,
  tlsSettings,
  topicKey,
} from '@tributary/push-source'

export const reconnect = reconnectSettings('sse', 'stream')
export const flow = flowSettings('sse')
export const request = requestSettings('sse', [...HTTP_SOURCE_HEADERS, 'last-event-id'])
export const tls = tlsSettings('sse')

export const TOPIC_PREFIX = 'sse.event.topic.'
const group = 'Stream'

/** The settings of a Server-Sent Events source, beside the framework's. */
export const sseSpec = defineConfig(
  {
    'sse.url': {
      type: 'string',
      validator: { kind: 'url', schemes: ['http', 'https'], rejectNull: true, userInfo: 'sse.auth.basic.*' },
      importance: 'high',
      group,
      displayName: 'URL',
      doc: 'Address of the stream, http:// or https://. The task follows up to 5 redirects.',
      example: 'https://stream.example.com/events',
    },
    'sse.require.ids': {
      type: 'boolean',
      default: false,
      importance: 'medium',
      group,
      displayName: 'Require ids',
      doc: 'Whether each event must have an id. True: an event without an id, or with an id that no header can carry, fails the task, and exactly.once.support=required is possible with a server that resumes after Last-Event-ID. False: events without ids that the server sends between two connections are lost.',
    },
    'sse.idle.timeout.ms': {
      type: 'long',
      default: 0,
      validator: { kind: 'range', min: 0 },
      importance: 'medium',
      group,
      displayName: 'Idle timeout',
      doc: 'Longest time, in ms, without any data from the server, comments included. After this time the task opens a new stream. 0: no limit. Many servers send a comment every 15 seconds.',
    },
    'sse.max.event.bytes': {
      type: 'int',
      default: 16_777_216,
      validator: { kind: 'range', min: 1 },
      importance: 'low',
      group,
      displayName: 'Largest event',
      doc: 'Largest event to accept, in bytes of its data. A larger event fails the task, because skipping the event would lose it.',
    },
    ...topicKey,
    ...BODY_KEYS,
    ...BODY_REGISTRY_KEYS,
    ...request.keys,
    ...tls.keys,
    ...reconnect.keys,
    ...flow.keys,
  },
  {
    prefixes: {
      ...request.prefixes,
      [TOPIC_PREFIX]: {
        importance: 'medium',
        group: 'Record',
        validator: { kind: 'topicName' },
        doc: 'Topic of the events with this name, sse.event.topic.<name>. Other events go to kafka.topic.',
      },
    },
    rules: [...request.rules, ...tls.rules, ...BODY_RULES],
  },
)

export type SseConfig = ConfigOf<typeof sseSpec>
