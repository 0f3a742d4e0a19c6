import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfigError, NotConnectedError } from '@tributary/connect-api'
import { driveTask, sequences, tickerProps } from '../../support/grpc-task.ts'
import { fail, sendTicks, startTicker, type Ticker, type WatchCall } from '../../support/grpc-ticker.ts'
import { until } from '../../support/until.ts'

const RESUME = { 'grpc.resume.field': 'sequence', 'grpc.resume.request.field': 'from.sequence' }

/** A server that continues after the sequence that the request names. A stream has `perStream` ticks and then fails. */
function resumable(perStream: number): (call: WatchCall) => Promise<void> {
  return async (call) => {
    const after = call.request.from?.sequence ?? 0
    await sendTicks(call, after + 1, after + perStream)
    fail(call, 14, 'restarting')
  }
}

async function withTicker(
  watch: (call: WatchCall, stream: number) => Promise<void>,
  run: (ticker: Ticker) => Promise<void>,
): Promise<void> {
  const ticker = await startTicker({ watch })
  try {
    await run(ticker)
  } finally {
    ticker.stop()
  }
}

describe('a gRPC stream that can resume', () => {
  test('continues after the last received value when it reconnects', async () => {
    await withTicker(resumable(100), async (ticker) => {
      const driven = await driveTask(tickerProps(ticker.port, RESUME))
      for (let stream = 1; stream <= 3; stream++) {
        await driven.connect()
        assert.ok((await driven.pollToError()) instanceof NotConnectedError)
      }
      assert.deepEqual(sequences(driven.records), range(1, 300))
      assert.deepEqual(
        ticker.requests.map((r) => r.from?.sequence ?? null),
        [null, 100, 200],
      )
      assert.equal(driven.stats.duplicates + driven.stats.sequenceGaps, 0)
      await driven.task.stop()
    })
  })

  test('continues after the last committed value when it restarts', async () => {
    await withTicker(resumable(10), async (ticker) => {
      const offset = { session_id: 'before', sequence: 7, resume: 41 }
      const driven = await driveTask(tickerProps(ticker.port, RESUME), offset)
      await driven.connect()
      const [first] = await driven.pollTo(10)
      assert.equal(ticker.requests[0]?.from?.sequence, 41)
      const { sequence, resume } = first!.sourceOffset
      assert.deepEqual([sequence, resume], [8, 42n])
      assert.ok(driven.event('offset_restored'))
      await driven.task.stop()
    })
  })

  test('asks for the next value with grpc.resume.request.next', async () => {
    await withTicker(resumable(1), async (ticker) => {
      const props = tickerProps(ticker.port, { ...RESUME, 'grpc.resume.request.next': 'true' })
      const driven = await driveTask(props, { session_id: 'before', sequence: 1, resume: '9007199254740993' })
      await driven.connect()
      await until('a request', () => ticker.requests.length === 1)
      assert.equal(String(ticker.requests[0]?.from?.sequence), '9007199254740994')
      await driven.task.stop()
    })
  })

  test('keeps the fields of the configured request', async () => {
    await withTicker(resumable(1), async (ticker) => {
      const props = tickerProps(ticker.port, {
        ...RESUME,
        'grpc.request.message': '{"symbol":"XYZ","from":{"sequence":5}}',
      })
      const driven = await driveTask(props, { session_id: 'before', sequence: 1, resume: 70 })
      await driven.connect()
      await until('a request', () => ticker.requests.length === 1)
      assert.deepEqual(ticker.requests[0], { symbol: 'XYZ', from: { sequence: 70 }, token: '' })
      await driven.task.stop()
    })
  })

  test('drops messages that it has received before, and counts them', async () => {
    const fromTheStart = async (call: WatchCall, stream: number): Promise<void> => {
      await sendTicks(call, 1, stream * 50)
      fail(call, 14, 'restarting')
    }
    await withTicker(fromTheStart, async (ticker) => {
      const driven = await driveTask(tickerProps(ticker.port, { 'grpc.resume.field': 'sequence' }))
      for (let stream = 1; stream <= 2; stream++) {
        await driven.connect()
        await driven.pollToError()
      }
      assert.deepEqual(sequences(driven.records), range(1, 100))
      assert.equal(driven.stats.duplicates, 50)
      assert.equal(driven.log.filter((line) => line.event === 'sequence_duplicate').length, 1)
      await driven.task.stop()
    })
  })

  test('counts a gap, and logs its first and last number', async () => {
    const withHole = async (call: WatchCall): Promise<void> => {
      await sendTicks(call, 1, 5)
      await sendTicks(call, 9, 10)
      call.end()
    }
    await withTicker(withHole, async (ticker) => {
      const driven = await driveTask(tickerProps(ticker.port, { 'grpc.resume.field': 'sequence' }))
      await driven.connect()
      await driven.pollToError()
      assert.deepEqual([driven.stats.sequenceGaps, driven.stats.sequenceGapMessages], [1, 3])
      const { from, to, gap_size: size } = driven.event('sequence_gap')!.fields
      assert.deepEqual([from, to, size], [6, 8, 3])
      await driven.task.stop()
    })
  })

  test('accepts any order without grpc.resume.monotonic, and missing numbers without grpc.resume.contiguous', async () => {
    const upAndDown = async (call: WatchCall): Promise<void> => {
      for (const sequence of [5, 3, 9]) await sendTicks(call, sequence, sequence)
      call.end()
    }
    await withTicker(upAndDown, async (ticker) => {
      const anyOrder = { 'grpc.resume.field': 'sequence', 'grpc.resume.monotonic': 'false' }
      const driven = await driveTask(tickerProps(ticker.port, anyOrder))
      await driven.connect()
      await driven.pollToError()
      assert.deepEqual(sequences(driven.records), [5, 3, 9])
      await driven.task.stop()

      const holes = { 'grpc.resume.field': 'sequence', 'grpc.resume.contiguous': 'false' }
      const jumping = await driveTask(tickerProps(ticker.port, holes))
      await jumping.connect()
      await jumping.pollToError()
      assert.deepEqual(sequences(jumping.records), [5, 3, 9])
      assert.equal(jumping.stats.sequenceGaps, 0)
      await jumping.task.stop()
    })
  })

  test('loses nothing when the server counts anew, and fails with exactly once when nobody can tell', async () => {
    const anew = async (call: WatchCall, stream: number): Promise<void> => {
      if (stream === 1) await sendTicks(call, 1, 100)
      else await sendTicks(call, 5, 60, { symbol: 'ANEW' })
      fail(call, 14, 'restarting')
    }
    await withTicker(anew, async (ticker) => {
      const driven = await driveTask(tickerProps(ticker.port, RESUME))
      for (let stream = 1; stream <= 2; stream++) {
        await driven.connect()
        await driven.pollToError()
      }
      assert.deepEqual(sequences(driven.records), [...range(1, 100), ...range(5, 60)])
      assert.deepEqual([driven.stats.duplicates, driven.stats.sequenceGaps], [0, 1])
      await driven.task.stop()
    })
    await withTicker(anew, async (ticker) => {
      const props = tickerProps(ticker.port, { ...RESUME, 'exactly.once.support': 'required' })
      const driven = await driveTask(props, { session_id: 'before', sequence: 1000, resume: 1000 })
      await driven.connect()
      const error = await driven.pollToError()
      assert.ok(error instanceof ConfigError && error.code === 'GRPC_SEQUENCE_RESET', String(error))
      assert.equal(driven.records.length, 0)
      await driven.task.stop()
    })
  })

  test('resumes with a token as well', async () => {
    const tokens = async (call: WatchCall, stream: number): Promise<void> => {
      await sendTicks(call, 1, 1, { token: `page-${stream}` })
      fail(call, 14, 'restarting')
    }
    await withTicker(tokens, async (ticker) => {
      const props = { 'grpc.resume.field': 'token', 'grpc.resume.request.field': 'token' }
      const driven = await driveTask(tickerProps(ticker.port, props), {
        session_id: 'before',
        sequence: 1,
        resume: '007',
      })
      for (let stream = 1; stream <= 3; stream++) {
        await driven.connect()
        await driven.pollToError()
      }
      assert.deepEqual(
        ticker.requests.map((r) => r.token),
        ['007', 'page-1', 'page-2'],
      )
      assert.equal(driven.records.at(-1)?.sourceOffset['resume'], 'page-3')
      await driven.task.stop()
    })
  })
})

describe('a gRPC stream that cannot resume', () => {
  test('counts each reconnect as a gap', async () => {
    await withTicker(resumable(10), async (ticker) => {
      const driven = await driveTask(tickerProps(ticker.port))
      for (let stream = 1; stream <= 3; stream++) {
        await driven.connect()
        await driven.pollToError()
      }
      assert.equal(driven.records.length, 30)
      assert.equal(driven.stats.sequenceGaps, 2)
      assert.equal(driven.log.filter((line) => line.event === 'sequence_gap').length, 2)
      await driven.task.stop()
    })
  })

  test('continues its count of records after a restart', async () => {
    await withTicker(resumable(3), async (ticker) => {
      const driven = await driveTask(tickerProps(ticker.port), { session_id: 'before', sequence: 1000 })
      await driven.connect()
      const records = await driven.pollTo(3)
      assert.deepEqual(
        records.map((r) => r.sourceOffset['sequence']),
        [1001, 1002, 1003],
      )
      assert.ok(records.every((r) => r.sourcePartition === records[0]?.sourcePartition))
      assert.equal(driven.event('session_id_changed')?.fields['previous_session'], 'before')
      await driven.task.stop()
    })
  })
})

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i)
}
