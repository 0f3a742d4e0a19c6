import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfigError, type Props } from '@tributary/connect-api'
import { BASE } from './config/testing.ts'
import { GrpcSourceConnector } from './connector.ts'
import { grpcSource } from './plugin.ts'

const connector = new GrpcSourceConnector()
const RESUME = { 'grpc.resume.field': 'seq', 'grpc.resume.request.field': 'from' }
const PARTITION = { grpc_server: 'feed:9090', grpc_method: 'f.Feed/Watch' }

describe('the gRPC source connector', () => {
  test('makes one task, whatever tasks.max says', () => {
    assert.deepEqual(connector.taskConfigs(BASE, 5), [BASE])
  })

  test('can be exactly once when the server can be asked to go on', () => {
    assert.equal(connector.exactlyOnce(BASE), false)
    assert.equal(connector.exactlyOnce({ ...BASE, 'grpc.resume.field': 'seq' }), false)
    assert.equal(connector.exactlyOnce({ ...BASE, ...RESUME }), true)
  })

  test('takes offsets of its form', () => {
    for (const offset of [
      { resume: 5 },
      { session_id: 's', sequence: 3, resume: 2n ** 60n },
      { resume: 'token' },
      null,
    ]) {
      connector.checkOffsets({ ...BASE, ...RESUME }, [{ partition: PARTITION, offset }])
    }
    connector.checkOffsets(BASE, [{ partition: { ...PARTITION, grpc_server: 'previous:1' }, offset: null }])
  })

  test('names the source partition by settings as the user wrote them', () => {
    const written = { ...BASE, 'grpc.server.host': '${env:HOST}', 'grpc.server.port': '${env:PORT}' }
    const check = (server: string) =>
      connector.checkOffsets(BASE, [{ partition: { ...PARTITION, grpc_server: server }, offset: {} }], written)
    check('${env:HOST}:${env:PORT}')
    assert.throws(() => check('feed:9090'), ConfigError)
  })

  for (const [what, partition, offset, props] of [
    ['a partition of another form', { file: 'x' }, { sequence: 1 }, {}],
    ["another server's partition", { ...PARTITION, grpc_server: 'other:1' }, { sequence: 1 }, {}],
    ['a sequence below 0', PARTITION, { sequence: -1 }, {}],
    ['a sequence that is text', PARTITION, { sequence: '1' }, {}],
    ['a resume value where nothing resumes', PARTITION, { resume: 5 }, {}],
    ['a resume value that is no whole number', PARTITION, { resume: 1.5 }, RESUME],
  ] as const) {
    test(`refuses ${what}`, () => {
      assert.throws(() => connector.checkOffsets({ ...BASE, ...props }, [{ partition, offset }]), ConfigError)
    })
  }
})

describe('the gRPC plugin', () => {
  test('reconnects as configured, with odd values taken for 0', () => {
    const policy = (props: Props) => grpcSource.reconnectPolicy!({ ...BASE, ...props })
    assert.deepEqual(policy({}), {
      enabled: true,
      intervalMs: 5000,
      backoffMaxMs: 60_000,
      maxAttempts: -1,
      healthyMs: 10_000,
      connectTimeoutMs: 0,
    })
    assert.equal(policy({ 'grpc.reconnect.interval.ms': '-5' }).intervalMs, 0)
    assert.equal(policy({ 'grpc.reconnect.max.attempts': '10  # retries' }).maxAttempts, 10)
  })

  test("names the server in the documents' metrics", () => {
    assert.deepEqual(grpcSource.metricLabels!(BASE), { server: 'feed:9090' })
  })
})
