import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfigError, NotConnectedError } from '@tributary/connect-api'
import { driveTask, sequences, tickerProps } from '../../support/grpc-task.ts'
import { fail, sendTicks, startTicker, type Ticker, type WatchCall } from '../../support/grpc-ticker.ts'
import { until } from '../../support/until.ts'

/** A tick with this payload is about 1 KiB on the wire. */
const KIB = { blob: Buffer.alloc(1000, 1) }
/** Bytes that a client takes without reading them: its HTTP/2 window, and the socket buffers of both ends. */
const TRANSPORT_BYTES = 1024 * 1024 + 8 * 1024 * 1024

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

/** Waits until a number has not changed for half a second. */
async function settles(what: string, read: () => number): Promise<void> {
  let last = -1
  let since = Date.now()
  await until(what, () => {
    if (read() !== last) [last, since] = [read(), Date.now()]
    return Date.now() - since > 500
  })
}

describe('a gRPC task whose records are not taken', () => {
  for (const [bound, props, records] of [
    ['records', { 'grpc.message.queue.size': '100' }, 100],
    ['bytes', { 'queue.max.bytes': '200000' }, 200],
  ] as const) {
    test(`makes the server wait, within the bound of ${bound}, and loses nothing`, async () => {
      const watch = async (call: WatchCall): Promise<void> => {
        await sendTicks(call, 1, 40_000, KIB)
        call.end()
      }
      await withTicker(watch, async (ticker) => {
        const driven = await driveTask(tickerProps(ticker.port, props))
        await driven.connect()
        await settles('the server waits', () => ticker.written)
        const most = records + TRANSPORT_BYTES / 1000
        assert.ok(ticker.written <= most, `the server could write ${ticker.written} ticks, bound are ${most}`)
        // One read of the transport, an HTTP/2 frame of 16 KiB, may be added to the bound.
        assert.ok(driven.stats.queueSize <= records + 17, `${driven.stats.queueSize} are queued`)
        assert.ok(driven.event('queue_full'))
        await driven.pollToError()
        assert.deepEqual(
          sequences(driven.records),
          Array.from({ length: 40_000 }, (_, i) => i + 1),
        )
        assert.equal(driven.stats.messagesDropped, 0)
        await driven.task.stop()
      })
    })
  }

  test('with overflow.policy=drop drops the messages that arrive while the queue is full, and counts them', async () => {
    const watch = async (call: WatchCall): Promise<void> => {
      await sendTicks(call, 1, 5000)
      call.end()
    }
    await withTicker(watch, async (ticker) => {
      const driven = await driveTask(
        tickerProps(ticker.port, { 'overflow.policy': 'drop', 'grpc.message.queue.size': '100' }),
      )
      await driven.connect()
      await until('the stream to end', () => driven.event('stream_completed'))
      await driven.pollToError()
      assert.deepEqual(
        sequences(driven.records),
        Array.from({ length: 100 }, (_, i) => i + 1),
      )
      assert.equal(driven.stats.messagesDropped, 4900)
      assert.equal(driven.stats.messagesReceived, 5000)
      assert.ok(driven.event('message_dropped'))
      await driven.task.stop()
    })
  })
})

describe('messages that a gRPC server sent before its end', () => {
  const SENT = 3000

  test('are delivered before the error, although the stream was paused', async () => {
    const watch = async (call: WatchCall): Promise<void> => {
      await sendTicks(call, 1, SENT)
      fail(call, 14, 'going down')
    }
    await withTicker(watch, async (ticker) => {
      const driven = await driveTask(tickerProps(ticker.port, { 'grpc.message.queue.size': '10' }))
      await driven.connect()
      await settles('all is sent', () => ticker.written)
      const error = await driven.pollToError()
      assert.ok(error instanceof NotConnectedError)
      assert.match(error.message, /UNAVAILABLE: going down/)
      assert.equal(driven.records.length, SENT)
      await driven.task.stop()
    })
  })

  test('are delivered although the connection broke while the stream was paused', async () => {
    await withTicker(
      (call) => sendTicks(call, 1, SENT),
      async (ticker) => {
        const driven = await driveTask(tickerProps(ticker.port, { 'grpc.message.queue.size': '10' }))
        await driven.connect()
        await settles('all is sent', () => ticker.written)
        ticker.stop()
        await until('the task hears of it', () => driven.event('stream_error'))
        assert.ok((await driven.pollToError()) instanceof NotConnectedError)
        assert.equal(driven.records.length, SENT)
        await driven.task.stop()
      },
    )
  })

  test('are delivered when the task is drained', async () => {
    let cancelled = false
    const watch = async (call: WatchCall): Promise<void> => {
      call.on('cancelled', () => (cancelled = true))
      await sendTicks(call, 1, SENT)
    }
    await withTicker(watch, async (ticker) => {
      const driven = await driveTask(tickerProps(ticker.port, { 'grpc.message.queue.size': '10' }))
      await driven.connect()
      await settles('all is sent', () => ticker.written)
      driven.task.drain?.()
      assert.deepEqual(
        sequences(await driven.pollToEnd()),
        Array.from({ length: SENT }, (_, i) => i + 1),
      )
      await until('the server hears of it', () => cancelled)
      assert.ok(driven.event('message_draining_completed'))
      await driven.task.stop()
    })
  })

  test('are delivered before a message that is too large ends the task', async () => {
    const watch = async (call: WatchCall): Promise<void> => {
      await sendTicks(call, 1, 20)
      call.write({ sequence: 21, blob: Buffer.alloc(5000) })
    }
    await withTicker(watch, async (ticker) => {
      const driven = await driveTask(tickerProps(ticker.port, { 'grpc.max.inbound.message.size': '5000' }))
      await driven.connect()
      const error = await driven.pollToError()
      assert.ok(error instanceof ConfigError)
      assert.equal(error.field, 'grpc.max.inbound.message.size')
      assert.match(error.message, /a message of 5005 bytes came, the limit is 5000 bytes/)
      assert.equal(driven.records.length, 20)
      await driven.task.stop()
    })
  })
})
