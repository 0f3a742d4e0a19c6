import assert from 'node:assert/strict'
import type { ReplayRequest } from '@tributary/connect-api'
import { createProducer, type ProducerRecord } from '@tributary/kafka-producer'

export type Address = ReplayRequest['letters'][number]

const NO_REPLAY: ReplayRequest = {
  replay: 'r',
  batch: 0,
  task: null,
  letters: [],
  edits: [],
  dryRun: false,
  force: false,
  targetTopic: null,
}

/** Writes records, such as letters made by hand. */
export async function write(brokers: readonly string[], records: readonly ProducerRecord[]): Promise<void> {
  const producer = createProducer({ brokers, clientId: 'test' }, { driver: 'tributary' })
  const { signal } = new AbortController()
  try {
    await producer.start(signal)
    const { failures } = await producer.send(records, signal)
    assert.deepEqual(failures, [])
  } finally {
    await producer.close()
  }
}

/** A letter with the headers of Kafka Connect that name the topic and the connector. */
export function letter(
  dlq: string,
  topic: string,
  value: string | Buffer,
  more: Partial<ProducerRecord> = {},
): ProducerRecord {
  const headers: ProducerRecord['headers'] = [
    ['__connect.errors.topic', Buffer.from(topic)],
    ['__connect.errors.connector.name', Buffer.from('test')],
    ['__connect.errors.stage', Buffer.from('VALUE_CONVERTER')],
  ]
  return { topic: dlq, partition: 0, key: null, value: Buffer.from(value), headers, timestamp: Date.now(), ...more }
}

export function addresses(topic: string, offsets: readonly (number | bigint)[], partition = 0): Address[] {
  return offsets.map((offset) => ({ topic, partition, offset: String(offset) }))
}

/** Calls the internal route of a worker as the leader of the control plane does. `url`: of the admin server. */
export async function askForReplay(
  url: string,
  connector: string,
  request: Partial<ReplayRequest>,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await fetch(`${url}/internal/connectors/${connector}/replay`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...NO_REPLAY, ...request }),
  })
  return { status: response.status, body: await response.json() }
}
