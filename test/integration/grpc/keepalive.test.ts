import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, test } from 'node:test'
import { grpcSpec } from '../../../apps/grpc-ingest/src/config/spec.ts'
import { plainSession } from '../../support/grpc-call.ts'
import { builtGoProgram, startForeignServer } from '../../support/foreign-server.ts'
import { driveTask, tickerProps } from '../../support/grpc-task.ts'
import { type GrpcStatus, openSession } from '../../../apps/grpc-ingest/src/transport/index.ts'

/** The default policy of grpc-go, which a test makes stricter: a PING each five minutes. */
const POLICY_MS = 300_000
const TEST_POLICY_MS = 500

interface Quiet {
  readonly status: GrpcStatus | null
  readonly tooManyPings: boolean
}

/** Reads a stream of grpc-go that is silent after its first message, and pings it at this interval, for four seconds. */
async function quietStream(keepaliveTimeMs: number): Promise<Quiet> {
  const args = ['-interval', '1h', '-min-time', `${TEST_POLICY_MS}ms`]
  const server = await startForeignServer({ command: await builtGoProgram('grpc-go'), args })
  const session = await openSession({ ...plainSession(server.port), keepaliveTimeMs }, new AbortController().signal)
  try {
    let status: GrpcStatus | null = null
    const request = { path: '/a.B/C', metadata: {}, message: Buffer.alloc(0), deadlineMs: 0, maxMessageBytes: 1000 }
    session.call(request, { onHeaders() {}, onMessages() {}, onEnd: (ended) => (status = ended) })
    await sleep(8 * TEST_POLICY_MS)
    return { status, tooManyPings: session.tooManyPings }
  } finally {
    session.close()
    await server.stop()
  }
}

const { default: defaultMs } = grpcSpec.data.keys['grpc.keepalive.time.ms'] as { default: number }
const scaled = (ms: number): number => (ms * TEST_POLICY_MS) / POLICY_MS

const LONG = process.env['TRIBUTARY_TEST_LONG'] === '1'
/** Minutes in which the stream is silent but for a message each ten minutes. */
const minutes = Number(process.env['TRIBUTARY_TEST_QUIET_MINUTES'] ?? (LONG ? 60 : 0.05))

describe('PINGs to a server of grpc-go', { concurrency: true }, () => {
  test('the default keepalive breaks no default policy of grpc-go, with all times divided by 600', async () => {
    assert.deepEqual(await quietStream(scaled(defaultMs)), { status: null, tooManyPings: false })
  })

  test('half a minute between two PINGs does break it', async () => {
    const { status, tooManyPings } = await quietStream(scaled(30_000))
    assert.equal(status?.status, 'UNAVAILABLE')
    assert.equal(tooManyPings, true)
  })

  test(`a quiet stream of grpc-go lives on, default settings on both sides, ${minutes} minutes`, async () => {
    const server = await startForeignServer({ command: await builtGoProgram('grpc-go'), args: ['-interval', '10m'] })
    const driven = await driveTask(tickerProps(server.port))
    try {
      await driven.connect()
      const end = performance.now() + minutes * 60_000
      const expected = 1 + Math.floor(minutes / 10 - 0.01)
      // A stream that ends makes the poll throw.
      while (performance.now() < end || driven.records.length < expected) await driven.poll()
      assert.equal((await server.output()).match(/stream/g)?.length, 1)
      assert.equal(driven.event('stream_error'), undefined)
    } finally {
      await driven.task.stop()
      await server.stop()
    }
  })
})
