import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogRecord } from '@tributary/kafka'
import type { LogFields, Logger } from '@tributary/telemetry'
import { silentLog } from '@tributary/telemetry/testing'
import { SkippedRecords } from './skipped-records.ts'

function scene(t: { readonly mock: { readonly timers: { enable(options: { apis: ['setTimeout'] }): void } } }) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const lines: LogFields[] = []
  const log: Logger = { ...silentLog, warn: (_event, fields) => void lines.push(fields ?? {}) }
  const skipped = new SkippedRecords(log, () => 't')
  const add = (offset: number, reason: string): void =>
    skipped.add(
      { partition: 0, offset: BigInt(offset), key: Buffer.from(`k${offset}`) } as unknown as LogRecord,
      reason,
    )
  return { lines, skipped, add }
}

test('60,000 records that a start cannot read are one line, with the reasons and the first record', (t) => {
  const { lines, skipped, add } = scene(t)
  for (let i = 0; i < 60_000; i++) add(i, i % 2 === 0 ? 'the text is not JSON' : 'the value is not a JSON object')
  skipped.started()
  assert.equal(lines.length, 1)
  assert.deepEqual(lines, [
    {
      topic: 't',
      records: 60_000,
      reasons: { 'the text is not JSON': 30_000, 'the value is not a JSON object': 30_000 },
      partition: 0,
      offset: 0n,
      key: 'k0',
    },
  ])
})

test('later ones are at most one line a minute, and different reasons do not grow the line', (t) => {
  const { lines, skipped, add } = scene(t)
  skipped.started()
  for (let i = 0; i < 1000; i++) add(i, `reason ${i}`)
  t.mock.timers.tick(1)
  assert.equal(lines.length, 1)
  assert.equal(Object.keys(lines[0]!['reasons'] as object).length, 6)
  for (let i = 0; i < 1000; i++) add(i, 'again')
  t.mock.timers.tick(1000)
  assert.equal(lines.length, 1)
  skipped.stop()
  assert.deepEqual(
    lines.map(({ records }) => records),
    [1000, 1000],
  )
})
