import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { observableGauge, type Observation, prometheusText } from './metrics.ts'

function gauge(t: TestContext, name: string, observe: () => Iterable<Observation>): () => void {
  const remove = observableGauge(name, 'd', observe)
  t.after(remove)
  return remove
}

/** The sample lines of a scrape, without comments. */
function samples(): string[] {
  return prometheusText()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
}

const labels = { connector_name: 'my-connector', server: 'localhost:9090' }

test('documented names and labels are exported unchanged: no prefix, suffix, scope or target', (t) => {
  const names = ['grpc_isConnected', 'grpc_TotalReconnects', 'grpc_sequence_gaps', 'grpc_DropRate', 'records_total']
  for (const name of names) gauge(t, name, () => [{ value: 1, attributes: labels }])
  assert.deepEqual(
    samples(),
    names.map((name) => `${name}{connector_name="my-connector",server="localhost:9090"} 1`),
  )
})

test('a gauge has one line of help and one of its type, also when two parts of the process observe it', (t) => {
  gauge(t, 'g', () => [{ value: 1, attributes: { of: 'a' } }])
  gauge(t, 'g', () => [{ value: 2, attributes: { of: 'b' } }])
  assert.equal(prometheusText(), '# HELP g d\n# TYPE g gauge\ng{of="a"} 1\ng{of="b"} 2\n')
})

test('a gauge stops exporting a series that it no longer reports', (t) => {
  let connectors = ['a', 'b']
  gauge(t, 'grpc_isConnected', () => connectors.map((connector_name) => ({ value: 0, attributes: { connector_name } })))
  assert.equal(samples().length, 2)
  connectors = ['b']
  assert.deepEqual(samples(), ['grpc_isConnected{connector_name="b"} 0'])
})

test('a removed gauge exports nothing, and does not take a later one of its name with it', (t) => {
  const remove = gauge(t, 'gone', () => [{ value: 1 }])
  assert.deepEqual(samples(), ['gone 1'])
  remove()
  assert.equal(prometheusText(), '')
  gauge(t, 'gone', () => [{ value: 2 }])
  remove()
  assert.deepEqual(samples(), ['gone 2'])
})

test('ten thousand tasks have ten thousand series', (t) => {
  gauge(t, 'tasks', () => Array.from({ length: 10_000 }, (_, task) => ({ value: 1, attributes: { task } })))
  assert.equal(samples().length, 10_000)
})

test('label values, help and numbers are written as the format says', (t) => {
  gauge(t, 'g', () => [{ value: 1, attributes: { connector: 'a"b\\c\nd' } }])
  gauge(t, 'numbers', () => [Infinity, -Infinity, NaN, 1e21, 0.5].map((value) => ({ value })))
  t.after(observableGauge('help', 'a\\b\nc', () => [{ value: 1 }]))
  assert.deepEqual(samples(), [
    'g{connector="a\\"b\\\\c\\nd"} 1',
    ...['+Inf', '-Inf', 'NaN', '1e+21', '0.5'].map((n) => `numbers ${n}`),
    'help 1',
  ])
  assert.match(prometheusText(), /^# HELP help a\\\\b\\nc$/m)
})
