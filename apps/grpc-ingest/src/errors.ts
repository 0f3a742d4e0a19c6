import { ConfigError, DataError, defineErrors, NotConnectedError } from '@tributary/connect-api'

/** Errors of the gRPC source. */
export const grpcErrors = defineErrors({
  GRPC_COMPLETED: {
    type: ConfigError,
    doc: 'The server ended its stream with OK, and `grpc.on.completion` is `fail`. Restart the task to read the stream again.',
  },
  GRPC_CONNECT: {
    type: NotConnectedError,
    doc: 'The server could not be reached. The cause says why: name, port, TLS. The task connects again.',
  },
  GRPC_DESCRIPTOR: {
    type: ConfigError,
    doc: '`grpc.proto.descriptor` is neither a readable file, nor base64, nor the text of a .proto file, or an import is missing.',
  },
  GRPC_FIELD_PATH: {
    type: ConfigError,
    doc: '`grpc.resume.field`, `key.field`, `timestamp.field` or `record.skip.match` names a field that the message does not have, or one whose type does not fit.',
  },
  GRPC_MESSAGE_TOO_LARGE: {
    type: ConfigError,
    doc: 'A message is larger than `grpc.max.inbound.message.size`. Raise the limit, then restart the task.',
  },
  GRPC_METADATA: {
    type: ConfigError,
    doc: 'An entry of `grpc.metadata` or `grpc.metadata.<name>` is not legal metadata.',
  },
  GRPC_METHOD_NOT_STREAMING: {
    type: ConfigError,
    doc: 'The method does not stream its responses.',
  },
  GRPC_METHOD_UNKNOWN: {
    type: ConfigError,
    doc: 'The service has no such method. The message lists the methods that it has.',
  },
  GRPC_OAUTH: {
    type: NotConnectedError,
    doc: 'The token endpoint of OAuth did not give an access token. The task asks again before it connects again.',
  },
  GRPC_OAUTH_REFUSED: {
    type: ConfigError,
    doc: 'The token endpoint refused the credentials three times in a row. Mend the settings `grpc.oauth.*`, then restart the task.',
  },
  GRPC_OFFSET: {
    type: ConfigError,
    doc: 'The request to alter offsets does not have the form that this connector writes.',
  },
  GRPC_REFLECTION: {
    type: ConfigError,
    doc: 'The server offers no reflection. Set `grpc.proto.descriptor`.',
  },
  GRPC_REFLECTION_CALL: {
    type: NotConnectedError,
    doc: "The call of the server's reflection failed. The task connects again.",
  },
  GRPC_REFUSED: {
    type: ConfigError,
    doc: "The server refused the call with a status that does not heal by itself. The message holds the server's words.",
  },
  GRPC_REQUEST: {
    type: ConfigError,
    doc: '`grpc.request.message` does not fit the type of the request.',
  },
  GRPC_RESUME_NEXT: {
    type: ConfigError,
    doc: '`grpc.resume.request.next` needs a numeric resume value.',
  },
  GRPC_SEQUENCE_RESET: {
    type: ConfigError,
    doc: 'The server sent a value of `grpc.resume.field` that is not above the last one, with a message that nobody remembers. With exactly once the task does not guess whether the message was delivered before. If the server has restarted its numbering, set `sequence.reset=deliver`, or reset the offsets of the stopped connector.',
  },
  GRPC_SERVICE_UNKNOWN: {
    type: ConfigError,
    doc: 'The descriptor, or the server, does not know the service. The message lists the services that it knows.',
  },
  GRPC_STREAM_ENDED: {
    type: NotConnectedError,
    doc: 'The server ended its stream with OK. The task opens the stream again. The end of a stream that delivered messages does not count for `grpc.reconnect.max.attempts`.',
  },
  GRPC_STREAM_FAILED: {
    type: NotConnectedError,
    doc: 'The stream broke, or ended with a status that may heal. The task opens the stream again, and waits as long as the server asks for.',
  },
  GRPC_STRUCT: {
    type: ConfigError,
    doc: 'The type of the messages has too many fields for a schema, those of nested types counted at each use. Set `grpc.value.format=json`.',
  },
  GRPC_TARGET: {
    type: ConfigError,
    doc: '`grpc.server.host` is no host, no target of gRPC, and no list of these.',
  },
  PROTOBUF_DECODE: {
    type: DataError,
    doc: 'The bytes of a message do not fit its type, or lack a required field.',
  },
  PROTOBUF_JSON: {
    type: DataError,
    doc: 'A message cannot be written as JSON: it holds an `Any` of an unknown type, a time out of range, or a `FieldMask` whose paths do not read back.',
  },
  PROTOBUF_STRUCT: {
    type: DataError,
    doc: 'A message holds an unsigned 64-bit integer that int64 cannot hold. `grpc.struct.lossless=true` makes a Decimal of it.',
  },
  PROTOBUF_TIMESTAMP: {
    type: DataError,
    doc: 'The field that `timestamp.field` names holds no time. A number may need another `timestamp.unit`.',
  },
})
