import {
  type DeadLetter,
  type Header,
  letterHeader,
  redelivered,
  type SourcePartition,
  type SourceRecord,
} from '@tributary/connect-api'
import type { WebSocketConfig } from '../config/config.ts'
import { wsErrors } from '../errors.ts'
import { isOfMessage } from '../expressions/json-path.ts'
import { compileTemplate } from '../expressions/template.ts'
import { type DecodeMessage, Message, plainDecode } from '../message/message.ts'
import type { RecordBuilder } from './record-builder.ts'

export interface Redelivery {
  readonly config: WebSocketConfig
  readonly builder: RecordBuilder
  readonly decode: DecodeMessage
  readonly sourcePartition: SourcePartition
}

/**
 * The record of a dead letter, as the feed's messages give it now; null: the message is skipped. Sequence numbers have no part in it.
 * Throws DataError, and RetriableError before the task has what bodies need.
 */
export function redeliver(letter: DeadLetter, parts: Redelivery): SourceRecord | null {
  const { config, builder, decode, sourcePartition } = parts
  const { received } = letter.context
  const isElement = received?.['part'] === 'element'
  if (isElement) checkElement(config)
  const connection = { number: Number(letterHeader(letter, 'websocket.connection') ?? 0) }
  const receivedAt = Number(letterHeader(letter, 'websocket.received_at') ?? letter.timestamp)
  const binary = received?.['binary'] === 'true'
  const data = Buffer.from(letter.value ?? [])
  const message = new Message(data, binary, receivedAt, connection, isElement ? plainDecode : decode)
  const records = builder.rebuild(message, isElement, sourcePartition)
  if (records.length > 1) {
    throw wsErrors.WEBSOCKET_DEAD_LETTER(
      `the message of the dead letter becomes ${records.length} records now, as split.field is ${config['split.field']}; a replay writes one`,
    )
  }
  const [record] = records
  if (record === undefined) return null
  if (record.error !== undefined) throw record.error
  return redelivered({ ...record, headers: ofSession(record.headers, letter) }, letter)
}

/** Fields that begin with `$` are those of the message around the element, which the letter does not have. */
function checkElement(config: WebSocketConfig): void {
  const { 'key.field': key, 'timestamp.field': timestamp, 'topic.template': topic } = config
  const names = topic ? compileTemplate(topic, 'topic.template').names : []
  const outer = [key, timestamp, ...names].find((path) => path !== null && isOfMessage(path))
  if (outer === undefined) return
  throw wsErrors.WEBSOCKET_DEAD_LETTER(
    `the dead letter is one element of a message, and ${outer} is a field of the whole message`,
  )
}

/** The session is that of the message, not the present one. */
function ofSession(headers: SourceRecord['headers'], letter: DeadLetter): SourceRecord['headers'] {
  const session = letterHeader(letter, SESSION) ?? letter.context.sourceOffset?.['session_id']
  if (session === undefined || session === null) return headers
  return headers?.map((header): Header => (header.name === SESSION ? { ...header, value: String(session) } : header))
}

const SESSION = 'websocket.session_id'
