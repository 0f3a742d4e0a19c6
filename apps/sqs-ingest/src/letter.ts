import { type DeadLetter, letterHeader, redelivered, type SourceRecord } from '@tributary/connect-api'
import { sqsErrors } from './errors.ts'
import type { MessageAttribute, SqsMessage } from './message.ts'
import { queueEntry } from './queues/queue-name.ts'
import { SYSTEM_HEADERS } from './record.ts'
import type { ConvertedMessage, SqsTaskParts } from './task-parts.ts'

const ATTRIBUTE = 'sqs.message.attribute.'
const TYPE = '.type'

/**
 * The record of a dead letter with the present configuration; null: the filter excludes the message. What a message points to, such as
 * an object in S3, is asked for again. Throws, and rejects, as a conversion does.
 */
export function redeliver(
  letter: DeadLetter,
  { converter, filter, records }: Pick<SqsTaskParts, 'converter' | 'filter' | 'records'>,
  signal: AbortSignal,
): SourceRecord | null | Promise<SourceRecord> {
  const message = messageOfLetter(letter)
  if (filter !== null && !filter.matches(message)) {
    if (filter.unmatched !== 'dlq') return null
    throw sqsErrors.SQS_UNMATCHED(`message ${message.id} does not match the filter policy`)
  }
  const place = { sourcePartition: { queue_url: message.queue.url }, sourceOffset: { message_id: message.id } }
  const recordOf = (converted: ConvertedMessage): SourceRecord =>
    redelivered(records.record(message, converted, place), letter)
  const converted = converter.convert(message, signal)
  return converted instanceof Promise ? converted.then(recordOf) : recordOf(converted)
}

/** The message of a dead letter, as far as its headers tell: attributes that were no headers are lost, and so is AWSTraceHeader. */
function messageOfLetter(letter: DeadLetter): SqsMessage {
  const url = letterHeader(letter, 'sqs.queue.url') ?? String(letter.context.sourcePartition?.['queue_url'] ?? '')
  const name = queueEntry(url)?.name ?? url
  const system = SYSTEM_HEADERS.map(([header, attribute]) => [attribute, letterHeader(letter, header) ?? undefined])
  return {
    queue: { url, name, fifo: name.endsWith('.fifo') },
    id: letterHeader(letter, 'sqs.message.id') ?? Buffer.from(letter.key ?? []).toString(),
    // Nothing is deleted or returned.
    receiptHandle: '',
    body: Buffer.from(letter.value ?? []).toString(),
    md5OfBody: letterHeader(letter, 'sqs.md5.of.body'),
    system: Object.fromEntries(system) as SqsMessage['system'],
    attributes: Object.fromEntries(attributesOf(letter)),
  }
}

/** Each attribute has a header with its value and one with its type. */
function attributesOf(letter: DeadLetter): [string, MessageAttribute][] {
  return letter.headers.flatMap(({ name: typed }): [string, MessageAttribute][] => {
    if (!typed.startsWith(ATTRIBUTE) || !typed.endsWith(TYPE)) return []
    const header = typed.slice(0, -TYPE.length)
    const dataType = letterHeader(letter, typed)
    const value = letter.headers.find(({ name }) => name === header)?.value
    if (dataType === null || value === undefined || value === null) return []
    const name = header.slice(ATTRIBUTE.length)
    if (dataType.startsWith('Binary')) return [[name, { dataType, binaryValue: value as Uint8Array }]]
    return [[name, { dataType, stringValue: letterHeader(letter, header) ?? '' }]]
  })
}
