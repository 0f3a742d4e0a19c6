import type { Keys } from '@tributary/config'
import { TIMESTAMP_TEXTS, timestampUnitKey, topicKey } from '@tributary/push-source'
import { PATH_PATTERN } from '../expressions/json-path.ts'

const group = 'Record'

/** A dotted path, or `$` for the whole message; see expressions/json-path.ts. */
export const FIELD_PATH = {
  kind: 'pattern',
  regex: PATH_PATTERN,
  message: 'Expected a path of names parted by dots, such as data.0.id, or $',
  accepts: 'names separated by dots, with a backslash before a dot that belongs to a name; $ is the whole message',
} as const

/** Keys for the records that messages become. */
export const recordKeys = {
  ...topicKey,
  'topic.template': {
    type: 'string',
    default: null,
    importance: 'medium',
    group,
    displayName: 'Topic template',
    width: 'long',
    doc: 'Template of the topic name, with fields of the message as {{<dotted path>}}. Each character that is illegal in a topic name becomes _. A message that lacks one of the fields goes to kafka.topic.',
    example: 'trades.{{data.symbol}}',
  },
  'topic.template.max.topics': {
    type: 'int',
    default: 1000,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group,
    displayName: 'Most topics',
    stripComment: true,
    doc: 'Most topics that topic.template may name in one run of the task. A message for a further topic is a bad record, and errors.tolerance decides what happens to the record.',
  },
  'key.field': {
    type: 'string',
    default: null,
    validator: FIELD_PATH,
    importance: 'medium',
    group,
    displayName: 'Key field',
    doc: 'Field of the message (dotted path) that becomes the key of the record, as text. If unset, or absent or null in a message, the record has no key.',
    example: 'data.symbol',
  },
  'timestamp.field': {
    type: 'string',
    default: null,
    validator: FIELD_PATH,
    importance: 'medium',
    group,
    displayName: 'Timestamp field',
    doc: `Field of the message (dotted path) with the timestamp of the record: a number since 1970, as a number or as decimal or hexadecimal (0x) text; ${TIMESTAMP_TEXTS}; or an object with seconds and nanos. If unset, or absent or null in a message, the timestamp is the time of producing.`,
    example: 'data.time',
  },
  ...timestampUnitKey,
  'split.field': {
    type: 'string',
    default: null,
    validator: FIELD_PATH,
    importance: 'medium',
    group,
    displayName: 'Split field',
    doc: 'Field of the message (dotted path, or $ for a message that is itself an array) with an array, each element of which becomes one record with the unchanged text of the element. Other fields are then read from the element, or from the message if their path begins with $. A message without the array is one record.',
    example: 'data',
  },
  'record.skip.match': {
    type: 'string',
    default: null,
    importance: 'medium',
    group,
    displayName: 'Skip rule',
    width: 'long',
    doc: 'Rule for messages to leave out: path == value, path != value, path, !path or /regex/, joined by && and ||. With split.field the rule is applied to each element.',
    example: 'type == "heartbeat"',
  },
  'record.headers': {
    type: 'list',
    default: [],
    validator: { kind: 'oneOf', values: ['url', 'session_id', 'connection', 'received_at'] },
    importance: 'low',
    group,
    displayName: 'Headers',
    recommended: ['url', 'session_id', 'connection', 'received_at'],
    doc: 'Headers of each record, named websocket.<name>. url: the URL without user, password and query. session_id: the id of the task run. connection: the number of the connection within the run, from 1. received_at: when the message was received, in ms since 1970.',
    example: 'connection,received_at',
  },
  'websocket.binary.decode': {
    type: 'string',
    default: 'none',
    validator: { kind: 'oneOf', values: ['none', 'gzip', 'deflate', 'text'] },
    importance: 'medium',
    group,
    displayName: 'Binary messages',
    recommended: ['none', 'gzip', 'deflate', 'text'],
    doc: 'Content of binary messages. none: bytes, kept unchanged. text: UTF-8 text. gzip, deflate (with or without a zlib header): compressed data, which is text if it is UTF-8. Rules and fields read the decoded content.',
  },
} as const satisfies Keys
