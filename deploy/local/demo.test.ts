import assert from 'node:assert/strict'
import { test } from 'node:test'
import { liveLine } from './demo.ts'

const health = {
  state: 'RUNNING',
  connected: true,
  stalled: false,
  records_total: 12_345,
  rate: 199.6,
  lag: 3,
  reason: 'Records are flowing.',
  tasks: [{ latency_ms: 1.26 }, { latency_ms: 0.4 }],
}

test('the live line tells connector, state, records, rate, the slowest latency and lag', () => {
  assert.equal(liveLine('demo-quotes', health), 'demo-quotes  RUNNING  12,345 records  200/s  1.3 ms  lag 3')
})

test('the live line says what is wrong', () => {
  const reason = 'Not connected, trying again: refused'
  assert.match(
    liveLine('demo-quotes', { ...health, connected: false, reason }),
    / {2}lag 3 {2}Not connected, trying again: refused$/,
  )
  assert.match(liveLine('demo-quotes', { ...health, stalled: true, reason: 'Kafka is away.' }), / {2}Kafka is away\.$/)
  assert.equal(
    liveLine('demo-quotes', 'the control plane does not answer'),
    'demo-quotes  the control plane does not answer',
  )
})

test('a connector without tasks has a line too', () => {
  assert.match(liveLine('demo-quotes', { ...health, tasks: [] }), / {2}0\.0 ms {2}/)
})
