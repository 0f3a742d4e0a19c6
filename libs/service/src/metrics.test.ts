import assert from 'node:assert/strict'
import { test } from 'node:test'
import { meter, observableGauge } from '@tributary/telemetry'
import { startMetrics } from './metrics.ts'
import type { Metrics } from './metrics.ts'

/** The sample lines of a scrape, without comments. */
async function samples(metrics: Metrics): Promise<string[]> {
  return (await metrics.scrape()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
}

async function withMetrics(run: (metrics: Metrics) => Promise<void>): Promise<void> {
  const metrics = startMetrics({ name: 'test', version: '1' })
  try {
    await run(metrics)
  } finally {
    await metrics.shutdown()
  }
}

const labels = { connector_name: 'my-connector', server: 'localhost:9090' }

test('documented names and labels are exported unchanged: no prefix, suffix, scope or target', async () => {
  await withMetrics(async (metrics) => {
    const names = ['grpc_isConnected', 'grpc_TotalReconnects', 'grpc_sequence_gaps', 'grpc_DropRate', 'grpc_LagCount']
    for (const name of names) observableGauge(name, 'As documented', () => [{ value: 1, attributes: labels }])
    assert.deepEqual(
      await samples(metrics),
      names.map((name) => `${name}{connector_name="my-connector",server="localhost:9090"} 1`),
    )
  })
})

test('a gauge stops exporting a series that it no longer reports', async () => {
  await withMetrics(async (metrics) => {
    let connectors = ['a', 'b']
    observableGauge('grpc_isConnected', 'd', () =>
      connectors.map((connector_name) => ({ value: 0, attributes: { connector_name } })),
    )
    assert.equal((await samples(metrics)).length, 2)
    connectors = ['b']
    assert.deepEqual(await samples(metrics), ['grpc_isConnected{connector_name="b"} 0'])
    assert.deepEqual(await samples(metrics), ['grpc_isConnected{connector_name="b"} 0'])
  })
})

test('a removed gauge exports nothing', async () => {
  await withMetrics(async (metrics) => {
    const remove = observableGauge('gone', 'd', () => [{ value: 1 }])
    assert.equal((await samples(metrics)).length, 1)
    remove()
    assert.deepEqual(await samples(metrics), [])
  })
})

test('counters and histograms accumulate over scrapes, in buckets of seconds', async () => {
  await withMetrics(async (metrics) => {
    const counter = meter().createCounter('tributary_records')
    const histogram = meter().createHistogram('tributary_commit_duration_seconds')
    counter.add(2, { connector: 'a' })
    histogram.record(0.003)
    await metrics.scrape()
    counter.add(3, { connector: 'a' })
    histogram.record(0.004)
    const lines = await samples(metrics)
    assert.ok(lines.includes('tributary_records_total{connector="a"} 5'))
    assert.ok(lines.includes('tributary_commit_duration_seconds_bucket{le="0.0025"} 0'))
    assert.ok(lines.includes('tributary_commit_duration_seconds_bucket{le="0.005"} 2'))
    assert.ok(lines.includes('tributary_commit_duration_seconds_count 2'))
  })
})

test('ten thousand tasks have ten thousand series', async () => {
  await withMetrics(async (metrics) => {
    observableGauge('tasks', 'd', () =>
      Array.from({ length: 10_000 }, (_, task) => ({ value: 1, attributes: { task } })),
    )
    assert.equal((await samples(metrics)).length, 10_000)
  })
})

test('label values are escaped', async () => {
  await withMetrics(async (metrics) => {
    observableGauge('g', 'd', () => [{ value: 1, attributes: { connector: 'a"b\\c\nd' } }])
    assert.deepEqual(await samples(metrics), ['g{connector="a\\"b\\\\c\\nd"} 1'])
  })
})
