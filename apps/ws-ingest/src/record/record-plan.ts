import {
  ConfigError,
  type FieldError,
  type Header,
  OPTIONAL_STRING_SCHEMA,
  type Props,
  type Schema,
} from '@tributary/connect-api'
import { bodyReader } from '@tributary/converters/body'
import type { TimestampUnit } from '@tributary/push-source'
import { shownUrl, type WebSocketConfig } from '../config/config.ts'
import { checkPath } from '../expressions/json-path.ts'
import { compileRule, type Readable, type Rule } from '../expressions/rule.ts'
import { compileTemplate, type Template } from '../expressions/template.ts'
import type { ConnectionInfo } from '../message/message.ts'
import { compileField, compileSplit, type Field, type Split, textOf } from './fields.ts'
import { wsErrors } from '../errors.ts'

/** How a message becomes records, compiled from the configuration; null for features that are not configured. */
export interface RecordPlan {
  readonly split: Split | null
  readonly skip: Rule | null
  readonly key: Field | null
  readonly timestamp: Field | null
  readonly timestampUnit: TimestampUnit
  readonly topic: TopicTemplate | null
  readonly headers: RecordHeaders | null
}

/** Compiles the plan. Throws ConfigError on the invalid key. */
export function planRecord(config: WebSocketConfig, sessionId: string): RecordPlan {
  const { 'split.field': split, 'record.skip.match': skip, 'key.field': key, 'timestamp.field': timestamp } = config
  const headers = config['record.headers']
  return {
    split: split ? compileSplit(split) : null,
    skip: skip ? compileRule(skip, 'record.skip.match') : null,
    key: key ? compileField(key) : null,
    timestamp: timestamp ? compileField(timestamp) : null,
    timestampUnit: config['timestamp.unit'] as TimestampUnit,
    topic: topicTemplate(config),
    headers:
      headers.length > 0 ? new RecordHeaders(headers, { url: shownUrl(config['websocket.url']), sessionId }) : null,
  }
}

/** Keys whose values the declared checks of the spec cannot verify. */
const CHECKED_KEYS = ['record.skip.match', 'topic.template'] as const

/** Every error of `planRecord` and of the schema for bodies, with its key. */
export function recordErrors(config: WebSocketConfig, props: Props): FieldError[] {
  const unset = Object.fromEntries(CHECKED_KEYS.map((key) => [key, null]))
  return [
    ...CHECKED_KEYS.flatMap((key) => thrown(key, () => planRecord({ ...config, ...unset, [key]: config[key] }, ''))),
    ...thrown('value.schema', () => bodyReader(config, props)),
  ]
}

function thrown(key: string, make: () => unknown): FieldError[] {
  try {
    make()
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return [{ field: error.field ?? key, message: error.message }]
  }
}

const INT32_SCHEMA: Schema = { type: 'int32' }
const INT64_SCHEMA: Schema = { type: 'int64' }

/** Values of record headers that do not come from the message. */
export interface HeaderValues {
  /** URL without secrets. */
  readonly url: string
  readonly sessionId: string
}

/** What headers say of a message besides its content. */
export interface Reception {
  readonly connection: ConnectionInfo
  /** ms since the epoch */
  readonly receivedAt: number
}

/** The headers that `record.headers` asks for. Headers that the messages of a connection share are created once. */
export class RecordHeaders {
  readonly #names: readonly string[]
  readonly #values: HeaderValues
  readonly #differByTime: boolean
  #connection: ConnectionInfo | null = null
  #shared: readonly Header[] = []

  constructor(names: readonly string[], values: HeaderValues) {
    this.#names = names
    this.#values = values
    this.#differByTime = names.includes('received_at')
  }

  /** Whether `of` answers the same for both. */
  same(a: Reception, b: Reception): boolean {
    return a.connection === b.connection && (!this.#differByTime || a.receivedAt === b.receivedAt)
  }

  of({ connection, receivedAt }: Reception): readonly Header[] {
    if (connection !== this.#connection) {
      this.#connection = connection
      this.#shared = this.#sharedBy(connection)
    }
    if (!this.#differByTime) return this.#shared
    return [...this.#shared, header('received_at', BigInt(receivedAt), INT64_SCHEMA)]
  }

  #sharedBy({ number }: ConnectionInfo): Header[] {
    const { url, sessionId } = this.#values
    const known = [
      header('url', url, OPTIONAL_STRING_SCHEMA),
      header('session_id', sessionId, OPTIONAL_STRING_SCHEMA),
      header('connection', number, INT32_SCHEMA),
    ]
    return known.filter(({ name }) => this.#names.includes(name.slice(PREFIX.length)))
  }
}

const PREFIX = 'websocket.'

function header(name: string, value: unknown, schema: Schema): Header {
  return { name: `${PREFIX}${name}`, value, schema }
}

/** Kafka's limit (`org.apache.kafka.common.internals.Topic`). */
const MAX_LENGTH = 249
const ILLEGAL = /[^a-zA-Z0-9._-]/g
const KEY = 'topic.template'

/** Chooses the topic of each record by `topic.template`. */
export class TopicTemplate {
  readonly #template: Template
  readonly #fields: readonly (readonly [name: string, field: Field])[]
  readonly #defaultTopic: string
  readonly #maxTopics: number
  readonly #topics = new Set<string>()
  /** Values of the current record, by field name. */
  readonly #values = new Map<string, string>()
  readonly #valueOf = (name: string): string => this.#values.get(name) ?? ''

  /** Throws ConfigError. `defaultTopic`: topic of a message that lacks a field. */
  constructor(text: string, defaultTopic: string, maxTopics: number) {
    this.#template = compileTemplate(text, KEY)
    this.#fields = [...new Set(this.#template.names)].map((name) => [name, compileField(checkPath(name, KEY))])
    this.#defaultTopic = defaultTopic
    this.#maxTopics = maxTopics
  }

  /** Throws DataError for an illegal topic name, and for a topic beyond `maxTopics`. */
  topicOf(part: Readable, message: Readable): string {
    for (const [name, field] of this.#fields) {
      const value = field(part, message)
      if (typeof value === 'object' && value !== null) {
        throw wsErrors.WEBSOCKET_TOPIC(`${KEY}: ${name} is an array or an object`)
      }
      const text = textOf(value)
      if (text === null || text === '') return this.#defaultTopic
      this.#values.set(name, text)
    }
    const topic = this.#template.render(this.#valueOf).replaceAll(ILLEGAL, '_')
    if (!this.#topics.has(topic)) this.#add(topic)
    return topic
  }

  #add(topic: string): void {
    if (topic === '' || topic === '.' || topic === '..' || topic.length > MAX_LENGTH) {
      throw wsErrors.WEBSOCKET_TOPIC(`${KEY} gives "${topic.slice(0, MAX_LENGTH)}", which no topic can be named`)
    }
    if (this.#topics.size >= this.#maxTopics) {
      throw wsErrors.WEBSOCKET_TOPIC_LIMIT(
        `${KEY} names more than ${this.#maxTopics} topics, ${topic} among them; ${KEY}.max.topics allows more`,
      )
    }
    this.#topics.add(topic)
  }
}

/** The topic template; null: all records go to `kafka.topic`. Throws ConfigError. */
export function topicTemplate(config: WebSocketConfig): TopicTemplate | null {
  const text = config[KEY]
  return text ? new TopicTemplate(text, config['kafka.topic'], config['topic.template.max.topics']) : null
}
