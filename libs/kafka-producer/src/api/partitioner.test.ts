import assert from 'node:assert/strict'
import { test } from 'node:test'
import { murmur2, partitionForKey } from './partitioner.ts'

// org.apache.kafka.common.utils.UtilsTest.testMurmur2, Kafka 3.9.1
const VECTORS: readonly (readonly [key: string, hash: number])[] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
]

test("murmur2 gives what Java's gives", () => {
  for (const [key, hash] of VECTORS) assert.equal(murmur2(Buffer.from(key)), hash, key)
})

test('a negative hash has its sign bit cleared, not its value negated', () => {
  assert.equal(partitionForKey(Buffer.from('21'), 12), (-973932308 & 0x7fffffff) % 12)
})

test('bytes above 127 are unsigned', () => {
  assert.equal(murmur2(Buffer.from([0xff, 0xfe, 0xfd])), murmur2(new Uint8Array([255, 254, 253])))
  assert.ok(partitionForKey(Buffer.from([0x80, 0xff, 0xff, 0xff, 0xff]), 7) >= 0)
})
