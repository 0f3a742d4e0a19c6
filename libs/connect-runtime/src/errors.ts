import {
  ConfigError,
  DataError,
  defineErrors,
  FatalError,
  NotConnectedError,
  RetriableError,
} from '@tributary/connect-api'

/** Errors that the runtime itself makes. Kafka's own errors keep Kafka's names. */
export const runtimeErrors = defineErrors({
  CONVERTER_NOT_READY: {
    type: FatalError,
    doc: 'A converter asked again and again to wait for the same record, although each wait had ended. This is a bug of the converter.',
  },
  CONNECT_TIMEOUT: {
    type: NotConnectedError,
    doc: 'The source did not answer within the connection timeout. The runtime connects again. Check host, port and firewall, or raise the timeout.',
  },
  DEAD_LETTER_CUT: {
    type: DataError,
    doc: 'A replay of a dead letter that holds only the beginning of a value that was too large for Kafka. Replay the letter with an edit that replaces `$`, the whole value.',
  },
  DEAD_LETTER_WITHOUT_TOPIC: {
    type: DataError,
    doc: 'A replay of a dead letter that does not say which topic its record was for. Name a target topic.',
  },
  DEAD_LETTER_REFUSED: {
    type: FatalError,
    doc: "The broker refused a record of the dead-letter queue. Check the topic's `max.message.bytes`.",
  },
  END_OF_INPUT_UNEXPECTED: {
    type: FatalError,
    doc: 'The task ended its input although nobody had called `drain`. This is a bug of the connector: a stream that ended is a `NotConnectedError`.',
  },
  EVENT_LOOP_HELD: {
    type: FatalError,
    doc: 'Code of the task held the event loop and kept all other tasks of the process from running. The trace says where; see `event.loop.stall.ms`.',
  },
  EVENT_LOOP_HELD_TOO_OFTEN: {
    type: FatalError,
    doc: 'The task has ended three processes by holding their event loop. Mend the cause, then restart the task or change its configuration.',
  },
  PROCESS_ENDED_TOO_OFTEN: {
    type: FatalError,
    doc: 'Three processes have ended while the code of the task read its configuration, and no other task was starting. Their logs say why. Mend the cause, then restart the task or change its configuration.',
  },
  GUARANTEE_REFUSED: {
    type: ConfigError,
    doc: "The configuration asks for exactly once, or for transactions of the connector's own. The connector or the worker cannot give that.",
  },
  INTERNAL_TOPIC_REFUSED: {
    type: ConfigError,
    doc: "The dead-letter queue is an internal topic of Kafka or of a Connect cluster. A record there could change the cluster's configuration. Choose another topic.",
  },
  REPLAY_EDIT_REFUSED: {
    type: DataError,
    doc: 'An edit of a replay cannot be made: its path or its operation is not known, or the value of the dead letter has no such field, or a value that cannot be cast.',
  },
  TASK_CONFIGS_TOO_LARGE: {
    type: ConfigError,
    doc: 'The configurations of all tasks of a connector are above 64 MiB together, which each process of the cluster would keep in memory. Lower `tasks.max`, or make the configuration smaller.',
  },
  OFFSETS_TOPIC_DELETED: {
    type: RetriableError,
    doc: 'The offsets topic was deleted. The transaction is tried again until the topic is back; the health of the task says what it waits for.',
  },
  RECONNECT_DISABLED: {
    type: ConfigError,
    doc: 'The connection ended, and the configuration switches reconnecting off.',
  },
  RECONNECT_EXHAUSTED: {
    type: ConfigError,
    doc: 'The tries to reconnect that the configuration allows are used up.',
  },
  RECORD_CONTRACT: {
    type: FatalError,
    doc: 'A plugin returned something that is no `SourceRecord`. This is a bug of the plugin; the message names the field and its value.',
  },
  RECORD_TOPIC_ILLEGAL: {
    type: DataError,
    doc: 'The transforms make a topic of a record that Kafka does not allow: an empty one, or one that is too long or has other characters. It often comes from a field of the record. `errors.tolerance` decides what happens to the record.',
  },
  RECORD_FOR_INTERNAL_TOPIC: {
    type: DataError,
    doc: 'The topic of a record, as templates and transformations have made it, is an internal topic of Kafka or of a Connect cluster. `errors.tolerance` decides what happens to the record.',
  },
  TASK_CALL_TIMEOUT: {
    type: FatalError,
    doc: "The plugin's `start` or `stop` did not end. This is a bug of the connector.",
  },
  TOLERANCE_EXCEEDED: {
    type: DataError,
    doc: 'A record is bad, and `errors.tolerance=none`. The cause says what is wrong with the record.',
  },
  TOPIC_CREATION_PATTERN: {
    type: ConfigError,
    doc: '`topic.creation.<group>.include` or `exclude` has a regular expression that cannot be used. The message says why, and what to write.',
  },
  TOPIC_MISSING: {
    type: ConfigError,
    doc: 'The topic does not exist, and `topic.creation.enable=false`. The message holds the command that creates the topic.',
  },
  TRANSACTION_BOUNDARY: {
    type: FatalError,
    doc: 'The connector asked for both the commit and the abort of one transaction. This is a bug of the connector.',
  },
  UNHANDLED_ERROR: {
    type: FatalError,
    doc: 'Code of the task threw in a timer, in a callback, or in a promise that nobody awaits. This is a bug of the connector; the cause is its error.',
  },
})
