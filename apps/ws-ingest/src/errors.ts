import { ConfigError, DataError, defineErrors, FatalError, NotConnectedError } from '@tributary/connect-api'

/** Errors of the WebSocket source. */
export const wsErrors = defineErrors({
  BACKFILL_HEADER: {
    type: ConfigError,
    doc: '`backfill.headers` has a name or a value that no header may have.',
  },
  BACKFILL_URL: {
    type: ConfigError,
    doc: '`backfill.url` is not a URL, holds a password, or names an unknown value.',
  },
  SPILL_FORMAT: {
    type: FatalError,
    doc: 'A message on disk has the format of another version. Run the version that wrote the message until the spill is empty.',
  },
  WEBSOCKET_CLOSED: {
    type: NotConnectedError,
    doc: "The connection ended. The message holds the server's close code and words. The task connects again.",
  },
  WEBSOCKET_CONNECT: {
    type: NotConnectedError,
    doc: 'The server could not be reached. The cause says why: name, port, proxy, TLS. The task connects again.',
  },
  WEBSOCKET_DEAD_LETTER: {
    type: DataError,
    doc: 'A replay cannot make the one record of a dead letter: the message becomes several records now, or the configuration reads a field of the message whose element the letter holds. The message says which.',
  },
  WEBSOCKET_DENIED: {
    type: ConfigError,
    doc: 'The server or the proxy refused the credentials three times in a row, by a status or close code of `websocket.reconnect.denied.codes`, or once by a code of `websocket.reconnect.stop.codes`. Mend the credentials or the codes, then restart the task.',
  },
  WEBSOCKET_FIELD_PATH: {
    type: ConfigError,
    doc: 'A path to a field of the message, in a setting or a template, is not made of names parted by dots.',
  },
  WEBSOCKET_HANDSHAKE: {
    type: NotConnectedError,
    doc: 'The server answered the handshake with another status than 101. The log has the body of the answer at debug. The task connects again, and waits as long as a `Retry-After` says.',
  },
  WEBSOCKET_HEADER: {
    type: ConfigError,
    doc: 'A header of the handshake has a name or a value that no header may have.',
  },
  WEBSOCKET_INFLATE: {
    type: DataError,
    doc: 'A binary message cannot be inflated as `websocket.binary.decode` says, or the inflated message is larger than a message may be.',
  },
  WEBSOCKET_MESSAGE_TOO_LARGE: {
    type: ConfigError,
    doc: 'A message is larger than `websocket.max.message.bytes`. Raise the limit, then restart the task.',
  },
  WEBSOCKET_OFFSET: {
    type: ConfigError,
    doc: 'The request to alter offsets does not have the form that this connector writes.',
  },
  WEBSOCKET_REFUSED: {
    type: ConfigError,
    doc: "The server refused the authentication or a subscription. The message holds the server's words.",
  },
  WEBSOCKET_RULE: {
    type: ConfigError,
    doc: 'A setting whose name ends in `.match` is not a rule. The message says what is wrong.',
  },
  WEBSOCKET_SESSION_TIMEOUT: {
    type: NotConnectedError,
    doc: 'A reply that the session waits for did not come within `websocket.session.timeout.ms`. The task connects again.',
  },
  WEBSOCKET_SIGNATURE: {
    type: ConfigError,
    doc: 'The settings `websocket.signature.*` make no signature: the key is missing, or is not written as its encoding says.',
  },
  WEBSOCKET_SILENT: {
    type: NotConnectedError,
    doc: 'An open connection was silent: no pong, no heartbeat, or no message for `websocket.idle.timeout.ms`. The task connects again.',
  },
  WEBSOCKET_SUBSCRIPTION: {
    type: ConfigError,
    doc: 'A numbered subscription has rules but no message.',
  },
  WEBSOCKET_TASKS: {
    type: ConfigError,
    doc: 'Each URL is one task. Raise `tasks.max`, or name fewer URLs.',
  },
  WEBSOCKET_TEMPLATE: {
    type: ConfigError,
    doc: 'A template names an unknown value, its braces do not match, or the server sent a value with control characters for a message that is not JSON. The message says which.',
  },
  WEBSOCKET_TEXT: {
    type: DataError,
    doc: 'A message that should be text is not UTF-8.',
  },
  WEBSOCKET_TIMESTAMP: {
    type: DataError,
    doc: 'The field that `timestamp.field` names holds no time. A number may need another `timestamp.unit`.',
  },
  WEBSOCKET_TOPIC: {
    type: DataError,
    doc: '`topic.template` gives a name that no topic can have, or names a field that is an array or an object.',
  },
  WEBSOCKET_TOPIC_LIMIT: {
    type: DataError,
    doc: '`topic.template` names more topics than `topic.template.max.topics` allows. Raise the limit, or choose another field.',
  },
  WEBSOCKET_URL: {
    type: ConfigError,
    doc: 'A URL is not valid once its templates are filled in.',
  },
})
