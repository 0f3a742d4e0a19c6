import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import { decodePayload, encodePayload, readPayload } from './group-payload.ts'

test('a decoded payload equals the encoded value', () => {
  const value = { v: 1, worker: 'host:1', own: [['connector-ä', 3]], leaving: false }
  assert.deepEqual(decodePayload(encodePayload(value)), value)
})

test('empty bytes, bytes of another version and bytes of another program decode to null, not to an error', () => {
  assert.equal(decodePayload(Buffer.alloc(0)), null)
  assert.equal(decodePayload(Buffer.concat([Buffer.of(2), deflateRawSync('{}')])), null)
  assert.equal(decodePayload(Buffer.from([1, 0xff, 0xff, 0xff])), null)
  assert.equal(decodePayload(Buffer.concat([Buffer.of(1), deflateRawSync('not json')])), null)
})

test('10,000 tasks over 50 members stay below 512 KiB in one round', () => {
  // Kafka's limit of a group's state is one record of __consumer_offsets, 1 MiB by default: metadata and assignments of all.
  const tasks = Array.from({ length: 10_000 }, (_, n) => [
    `market-data-feed-${n >> 3}-production`,
    n & 7,
    n % 977,
    false,
  ])
  let bytes = 0
  for (let member = 0; member < 50; member++) {
    const own = tasks.slice(member * 200, (member + 1) * 200)
    bytes += encodePayload({
      v: 1,
      seq: 1000,
      leaving: false,
      worker: `10.0.0.${member}:8083`,
      cfg: 123456,
      own,
    }).length
    bytes += encodePayload({ gen: 977, run: own.map(([connector, task]) => [connector, task]), followup: false }).length
  }
  assert.ok(bytes < 512 * 1024, `${bytes} bytes`)
})

test('a payload that is no object, or has another shape than asked for, is not read, nor one that inflates without bound', () => {
  for (const value of [5, 'text', true, null]) assert.equal(readPayload(encodePayload(value)), null)
  assert.equal(
    readPayload(encodePayload({ a: 1 }), () => false),
    null,
  )
  assert.deepEqual(readPayload(encodePayload({ a: 1 })), { a: 1 })
  assert.equal(readPayload(encodePayload({ a: ' '.repeat(16 * 1024 * 1024) })), null)
})
