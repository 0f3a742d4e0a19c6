import { type ConfigOf, defineConfig, type Keys } from '@tributary/config'
import { flowSettings, reconnectSettings, tlsSettings, topicKey } from '@tributary/push-source'

const CONNECTION = 'Connection'
const TLS = 'TLS'
const REQUEST = 'Request'
const RECONNECT = 'Reconnect'
const FLOW = 'Flow control'
const RESUME = 'Resume'
const RECORD = 'Record'

const MIB = 1024 * 1024

export const tls = tlsSettings('grpc')
export const reconnect = reconnectSettings('grpc', 'stream')
export const flow = flowSettings('grpc')

const keys = {
  'grpc.server.host': {
    type: 'string',
    validator: { kind: 'nonEmpty' },
    importance: 'high',
    group: CONNECTION,
    displayName: 'Host',
    doc: 'Host name or address of the server. The name is looked up again on each reconnect.',
    example: 'feed.example.com',
  },
  'grpc.server.port': {
    type: 'int',
    validator: { kind: 'range', min: 1, max: 65_535, message: 'Invalid port number, it must be between 1 and 65535' },
    importance: 'high',
    group: CONNECTION,
    displayName: 'Port',
    stripComment: true,
    doc: 'TCP port of the server.',
    example: '50051',
  },
  'grpc.service.name': {
    type: 'string',
    validator: { kind: 'nonEmpty' },
    importance: 'high',
    group: REQUEST,
    displayName: 'Service',
    doc: 'Full name of the service, with its package. Case matters.',
    example: 'tributary.demo.v1.MarketData',
  },
  'grpc.method.name': {
    type: 'string',
    validator: { kind: 'nonEmpty' },
    importance: 'high',
    group: REQUEST,
    displayName: 'Method',
    doc: 'Short name of the method. It must take one request and stream its responses.',
    example: 'StreamQuotes',
  },
  ...topicKey,
  'grpc.request.message': {
    type: 'string',
    default: '{}',
    importance: 'medium',
    group: REQUEST,
    displayName: 'Request message',
    width: 'long',
    doc: "Request message in protobuf's JSON, with the field names of the .proto file or their lowerCamelCase form. Unknown fields are an error.",
    example: '{"symbols":["EURUSD"],"rate_per_second":1000}',
  },
  'grpc.proto.descriptor': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: REQUEST,
    displayName: 'Descriptor',
    width: 'long',
    doc: 'Source of the message types: the path of a descriptor set (protoc --include_imports --descriptor_set_out) or of a .proto file, the text of a .proto file, or a descriptor set in base64. Unset: the task asks the server by reflection on each connect.',
    example: '/etc/kafka/descriptors/quotes.desc',
  },
  'grpc.metadata': {
    type: 'string',
    default: null,
    validator: { kind: 'keyValueList' },
    importance: 'medium',
    group: REQUEST,
    displayName: 'Metadata',
    sensitive: true,
    doc: 'Metadata of the call as name:value,name:value. Put a value with commas in double quotes. The value of a name that ends in -bin is base64.',
    example: 'authorization:Bearer token123,x-api-key:key456',
  },
  'grpc.deadline.ms': {
    type: 'long',
    default: 0,
    validator: { kind: 'range', min: 0 },
    importance: 'low',
    group: REQUEST,
    displayName: 'Deadline',
    stripComment: true,
    doc: 'Deadline of one call, in ms, which the server receives too. After the deadline the task opens a new stream. 0: no deadline. The server gets at most 8 digits, so a long deadline is rounded up to seconds, minutes or hours.',
  },
  'grpc.tls.enabled': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    group: TLS,
    displayName: 'TLS',
    dependents: ['grpc.tls.ca.cert', 'grpc.tls.client.cert', 'grpc.tls.client.key', 'grpc.tls.client.key.password'],
    doc: 'Whether the connection uses TLS. False: HTTP/2 in plain text.',
  },
  ...tls.keys,
  ...reconnect.keys,
  'grpc.connection.timeout.ms': {
    type: 'long',
    default: 30_000,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group: CONNECTION,
    displayName: 'Connection timeout',
    stripComment: true,
    doc: 'Longest time, in ms, for name lookup, TCP, TLS and HTTP/2 together. The wait for the first message does not count.',
  },
  'grpc.keepalive.time.ms': {
    type: 'long',
    // Servers of grpc-go and grpc-java allow a PING each five minutes by default, and jitter makes five minutes too short.
    default: 360_000,
    importance: 'low',
    group: CONNECTION,
    displayName: 'Keepalive',
    stripComment: true,
    doc: 'Time, in ms, without any data from the server before the task sends an HTTP/2 PING. A value below 10000 counts as 10000. 0 or less: no PINGs. If the server ends a connection because of too many PINGs, the task sends fewer from then on.',
  },
  'grpc.keepalive.timeout.ms': {
    type: 'long',
    default: 10_000,
    importance: 'low',
    group: CONNECTION,
    displayName: 'Keepalive timeout',
    stripComment: true,
    doc: 'Longest wait for the answer to a PING, in ms. After this time the connection counts as lost.',
  },
  'grpc.idle.timeout.ms': {
    type: 'long',
    default: 0,
    validator: { kind: 'range', min: 0 },
    importance: 'low',
    group: CONNECTION,
    displayName: 'Idle timeout',
    stripComment: true,
    doc: 'Longest time, in ms, without a message while the task reads the stream. After this time the task opens a new stream. 0: no limit, because a stream may be quiet.',
  },
  'grpc.max.connection.age.ms': {
    type: 'long',
    default: 0,
    validator: { kind: 'range', min: 0 },
    importance: 'low',
    group: RECONNECT,
    displayName: 'Connection age',
    stripComment: true,
    doc: 'Age, in ms, at which the task replaces a stream, so that the server does not end it. The task opens the new stream first, and then reads the old one to its end. 0: never.',
  },
  'grpc.on.completion': {
    type: 'string',
    default: 'reconnect',
    validator: { kind: 'oneOf', values: ['reconnect', 'stop', 'fail'] },
    recommended: ['reconnect', 'stop', 'fail'],
    importance: 'medium',
    group: RECONNECT,
    displayName: 'On completion',
    doc: 'What to do when the server ends the stream with OK. reconnect: the task opens the stream again. stop: the task stays RUNNING, its health says that the stream is completed, and neither the task nor a later run of it reads the stream again, until the offsets are deleted or grpc.request.message changes. fail: the task is FAILED.',
  },
  'grpc.max.inbound.message.size': {
    type: 'int',
    default: 4 * MIB,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group: FLOW,
    displayName: 'Message size',
    stripComment: true,
    doc: 'Largest message to accept, in bytes, after decompression. A larger message fails the task, because reading on would lose the message.',
  },
  ...flow.keys,
  'grpc.resume.field': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: RESUME,
    displayName: 'Resume field',
    doc: 'Field of the response (dotted path) with its sequence number or resume token. The source offset keeps the value.',
    example: 'sequence',
  },
  'grpc.resume.request.field': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: RESUME,
    displayName: 'Request field',
    doc: 'Field of the request (dotted path) that gets the last value of grpc.resume.field: the last received value on a reconnect, the last committed value after a restart.',
    example: 'from_sequence',
  },
  'grpc.resume.request.next': {
    type: 'boolean',
    default: false,
    importance: 'low',
    group: RESUME,
    displayName: 'Ask for the next',
    doc: 'Whether the request gets the last value plus one, for servers that expect the number of the first message to send. Numeric fields only.',
  },
  'grpc.resume.monotonic': {
    type: 'boolean',
    default: true,
    importance: 'low',
    group: RESUME,
    displayName: 'Monotonic',
    doc: 'Whether numeric values only grow. True: a message whose value is not above the last one is a duplicate, which is left out and counted.',
  },
  'grpc.resume.contiguous': {
    type: 'boolean',
    default: true,
    importance: 'low',
    group: RESUME,
    displayName: 'Without holes',
    doc: 'Whether numeric values increase by one. True: missing values are counted and logged as a gap. Set false for values that skip, such as timestamps.',
  },
  'key.field': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: RECORD,
    displayName: 'Key field',
    doc: 'Field of the response (dotted path) that becomes the key of the record, as text; bytes stay bytes. If unset, or absent in a message, the record has no key.',
    example: 'symbol',
  },
  'timestamp.field': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: RECORD,
    displayName: 'Timestamp field',
    doc: 'Field of the response (dotted path) with the timestamp of the record: a google.protobuf.Timestamp, a whole number of ms since 1970, or RFC 3339 text. If unset, or absent in a message, the timestamp is the time of producing.',
    example: 'sent_at',
  },
  'grpc.response.headers': {
    type: 'list',
    default: [],
    importance: 'low',
    group: RECORD,
    displayName: 'Response headers',
    doc: 'Names of response metadata that become headers of each record. traceparent and tracestate always become headers.',
    example: 'x-feed-id,x-region',
  },
  'grpc.value.format': {
    type: 'string',
    default: 'json',
    validator: { kind: 'oneOf', values: ['json', 'bytes'] },
    recommended: ['json', 'bytes'],
    importance: 'medium',
    group: RECORD,
    displayName: 'Value format',
    doc: "Format of the value of a record. json: the message in protobuf's JSON, with fields at their default; grpc.json.presence says which. bytes: the bytes of the message, not decoded.",
  },
  'grpc.json.presence': {
    type: 'string',
    default: 'java',
    validator: { kind: 'oneOf', values: ['java', 'canonical'] },
    recommended: ['java', 'canonical'],
    importance: 'low',
    group: RECORD,
    displayName: 'Unset in JSON',
    doc: "How JSON shows an unset scalar of proto2. java: with its default, so that it looks like a value that was sent. canonical: not at all, as protobuf's JSON mapping says. Both leave out what is unset in editions and in proto3's optional fields.",
  },
} as const satisfies Keys

/** The settings of a gRPC source, besides those of the framework. */
export const grpcSpec = defineConfig(keys, {
  prefixes: {
    'grpc.metadata.': {
      importance: 'medium',
      group: REQUEST,
      sensitive: true,
      suffix: '[0-9A-Za-z_.-]+',
      doc: 'Value of one metadata entry, grpc.metadata.<name>. This entry takes precedence over the same name in grpc.metadata. The value of a name that ends in -bin is base64.',
    },
  },
  rules: [
    ...tls.rules,
    { rule: 'requires', key: 'grpc.resume.request.field', needs: ['grpc.resume.field'] },
    { rule: 'visibleWhen', key: 'grpc.tls.ca.cert', when: 'grpc.tls.enabled', equals: ['true'] },
    { rule: 'visibleWhen', key: 'grpc.tls.client.cert', when: 'grpc.tls.enabled', equals: ['true'] },
    { rule: 'visibleWhen', key: 'grpc.tls.client.key', when: 'grpc.tls.enabled', equals: ['true'] },
    { rule: 'visibleWhen', key: 'grpc.tls.client.key.password', when: 'grpc.tls.enabled', equals: ['true'] },
  ],
})

export const METADATA_PREFIX = 'grpc.metadata.'

/** The parsed settings. */
export type GrpcConfig = ConfigOf<typeof grpcSpec>
