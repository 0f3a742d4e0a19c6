import { DataError } from '@tributary/connect-api'
import type { Readable } from '../frame.ts'
import type { WebSocketConfig } from '../spec.ts'
import { compileTemplate, type Template } from '../template.ts'
import { compileField, type Field, textOf } from './field.ts'
import { checkPath } from './json-path.ts'

/** Kafka's limit (`org.apache.kafka.common.internals.Topic`). */
const MAX_LENGTH = 249
const ILLEGAL = /[^a-zA-Z0-9._-]/g
const KEY = 'topic.template'

/** Names the topic of each record by `topic.template`. */
export class TopicTemplate {
  readonly #template: Template
  readonly #fields: readonly (readonly [name: string, field: Field])[]
  readonly #otherwise: string
  readonly #maxTopics: number
  readonly #topics = new Set<string>()
  /** Of the record at hand. */
  readonly #values = new Map<string, string>()
  readonly #valueOf = (name: string): string => this.#values.get(name) ?? ''

  /** Throws ConfigError. `otherwise`: the topic of a message that lacks a field. */
  constructor(text: string, otherwise: string, maxTopics: number) {
    this.#template = compileTemplate(text, KEY)
    this.#fields = [...new Set(this.#template.names)].map((name) => [name, compileField(checkPath(name, KEY))])
    this.#otherwise = otherwise
    this.#maxTopics = maxTopics
  }

  /** Throws DataError for a name that no topic can have, and for one topic too many. */
  topicOf(part: Readable, message: Readable): string {
    for (const [name, field] of this.#fields) {
      const value = field(part, message)
      if (typeof value === 'object' && value !== null) {
        throw new DataError('WEBSOCKET_TOPIC', `${KEY}: ${name} is an array or an object`)
      }
      const text = textOf(value)
      if (text === null || text === '') return this.#otherwise
      this.#values.set(name, text)
    }
    const topic = this.#template.render(this.#valueOf).replaceAll(ILLEGAL, '_')
    if (!this.#topics.has(topic)) this.#add(topic)
    return topic
  }

  #add(topic: string): void {
    if (topic === '' || topic === '.' || topic === '..' || topic.length > MAX_LENGTH) {
      throw new DataError(
        'WEBSOCKET_TOPIC',
        `${KEY} gives "${topic.slice(0, MAX_LENGTH)}", which no topic can be named`,
      )
    }
    if (this.#topics.size >= this.#maxTopics) {
      throw new DataError(
        'WEBSOCKET_TOPIC_LIMIT',
        `${KEY} names more than ${this.#maxTopics} topics, ${topic} among them; ${KEY}.max.topics allows more`,
      )
    }
    this.#topics.add(topic)
  }
}

/** null: all records go to `kafka.topic`. Throws ConfigError. */
export function topicTemplate(config: WebSocketConfig): TopicTemplate | null {
  const text = config[KEY]
  return text ? new TopicTemplate(text, config['kafka.topic'], config['topic.template.max.topics']) : null
}
