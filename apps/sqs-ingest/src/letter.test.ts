import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDeadLetter, type SourceRecord } from '@tributary/connect-api'
import { hideSecrets } from '@tributary/telemetry'
import { FIFO, messageOf } from '../test/messages.ts'
import { redeliver } from './letter.ts'
import { SqsRecords } from './record.ts'
import { sqsErrors } from './errors.ts'
import type { MessageFilter } from './task-parts.ts'

const attributes = {
  kind: { dataType: 'String.custom', stringValue: 'order' },
  'a.type': { dataType: 'Number', stringValue: '1' },
  raw: { dataType: 'Binary', binaryValue: Buffer.from([0, 255]) },
}
const system = { SentTimestamp: '1000', MessageGroupId: 'g-1', AWSTraceHeader: 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1' } // prettier-ignore
const place = { sourcePartition: { queue_url: FIFO.url }, sourceOffset: { message_id: 'm-1' } }
const message = messageOf('bödy', { queue: FIFO, system, attributes, md5OfBody: 'md5' })
const error = sqsErrors.SQS_BODY('no')
const makerOf = (deadLetterTopic: string | null): SqsRecords =>
  new SqsRecords({ topic: 't', partition: null, attributes: true, deadLetterTopic, maxRetries: 3 })
const signal = new AbortController().signal
const upper = { convert: ({ body }: { body: string }) => ({ value: body.toUpperCase() }) }

/** The letter of a record, as the runtime writes it. */
function letterOf(record: SourceRecord): ReturnType<typeof readDeadLetter> {
  const headers = record.deadLetter?.headers(record, error) ?? record.headers ?? []
  return readDeadLetter({
    ...{ key: Buffer.from(String(record.key)), value: record.original ?? null, timestamp: 5 },
    headers: headers.map(({ name, value }) => [name, value instanceof Uint8Array ? value : Buffer.from(String(value))]),
  })
}

for (const deadLetterTopic of [null, 'dlq']) {
  test(`a dead letter of a message gives the record of the message, with dlq.topic=${deadLetterTopic}`, async () => {
    const records = makerOf(deadLetterTopic)
    const wanted = records.record(message, upper.convert(message), place)
    const failed = records.deadLetter(message, { error, retries: 2, maxRetries: 2 }, place)
    for (const bad of [failed, wanted]) {
      const letter = letterOf(bad)
      const withPlace = { ...letter, context: { ...letter.context, ...place } }
      const again = (await redeliver(withPlace, { converter: upper, filter: null, records }, signal))!
      const shown = ({ headers = [], ...record }: SourceRecord): object => ({
        ...record,
        headers: headers.map(({ name, value }) => [name, Buffer.from(value as never).toString('latin1')]),
      })
      assert.deepEqual(shown(again), shown(wanted))
    }
  })
}

test('a filter that excludes the message now skips it, or refuses it', () => {
  const letter = letterOf(makerOf(null).record(message, { value: '' }, place))
  const parts = (unmatched: MessageFilter['unmatched']) => ({
    ...{ converter: upper, records: makerOf(null) },
    filter: { matches: () => false, unmatched },
  })
  assert.equal(redeliver(letter, parts('delete'), signal), null)
  assert.throws(() => redeliver(letter, parts('dlq'), signal), /does not match the filter policy/)
})

test('the headers of a dead letter hide the secrets of configurations', () => {
  const shown = hideSecrets(['a-secret-of-mine'])
  try {
    const quoting = sqsErrors.SQS_BODY('refused with a-secret-of-mine')
    const record = makerOf('dlq').deadLetter(message, { error: quoting, retries: 0, maxRetries: 0 }, place)
    const late = record.deadLetter?.headers(record, quoting) ?? []
    const texts = [...(record.headers ?? []), ...late].map(({ value }) => String(value as string)).join('\n')
    assert.match(texts, /refused with/)
    assert.doesNotMatch(texts, /a-secret-of-mine/)
  } finally {
    shown()
  }
})
