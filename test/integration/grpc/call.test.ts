import assert from 'node:assert/strict'
import { createServer, type AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { Metadata } from '@grpc/grpc-js'
import { ConfigError, DataError, NotConnectedError } from '@tributary/connect-api'
import { driveTask, sequences, tickerProps } from '../../support/grpc-task.ts'
import {
  fail,
  sendTicks,
  startTicker,
  type Ticker,
  type TickerOptions,
  type WatchCall,
} from '../../support/grpc-ticker.ts'
import { until } from '../../support/until.ts'

async function withTicker(options: TickerOptions, run: (ticker: Ticker) => Promise<void>): Promise<void> {
  const ticker = await startTicker(options)
  try {
    await run(ticker)
  } finally {
    ticker.stop()
  }
}

/** Writes one tick and stays open. */
const one = (call: WatchCall): Promise<void> => sendTicks(call, 1, 1)

describe('a gRPC call', () => {
  test('sends the metadata of both forms, text and binary', async () => {
    await withTicker({ watch: one }, async (ticker) => {
      const props = {
        'grpc.metadata': 'authorization:Bearer a:b,x-list:"1,2",x-both:list',
        'grpc.metadata.x-both': 'single',
        'grpc.metadata.x-trace-bin': Buffer.from([0, 255, 7]).toString('base64'),
      }
      const driven = await driveTask(tickerProps(ticker.port, props))
      await driven.connect()
      const [sent] = ticker.metadata
      assert.deepEqual(sent?.get('authorization'), ['Bearer a:b'])
      assert.deepEqual(sent?.get('x-list'), ['1,2'])
      assert.deepEqual(sent?.get('x-both'), ['single'])
      assert.deepEqual(sent?.get('x-trace-bin'), [Buffer.from([0, 255, 7])])
      await driven.task.stop()
    })
  })

  test('puts the trace context and the chosen response metadata into the headers of each record', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const watch = async (call: WatchCall): Promise<void> => {
      const metadata = new Metadata()
      metadata.set('traceparent', traceparent)
      metadata.set('x-feed', 'primary')
      metadata.set('x-key-bin', Buffer.from('ab'))
      metadata.set('x-other', 'unwanted')
      call.sendMetadata(metadata)
      await one(call)
    }
    await withTicker({ watch }, async (ticker) => {
      const driven = await driveTask(tickerProps(ticker.port, { 'grpc.response.headers': 'X-Feed, x-key-bin, x-none' }))
      await driven.connect()
      const [record] = await driven.pollTo(1)
      assert.deepEqual(record?.headers, [
        { name: 'traceparent', value: traceparent },
        { name: 'x-feed', value: 'primary' },
        { name: 'x-key-bin', value: Buffer.from('ab') },
      ])
      await driven.task.stop()
    })
  })

  test('is connected when the server answers, not before', async () => {
    let answer = (): void => {}
    const watch = async (call: WatchCall): Promise<void> => {
      await new Promise<void>((resolve) => (answer = resolve))
      await one(call)
    }
    await withTicker({ watch }, async (ticker) => {
      const driven = await driveTask(tickerProps(ticker.port, { 'grpc.connection.timeout.ms': '200' }))
      let connected = false
      const connecting = driven.connect().then(() => (connected = true))
      await until('the call', () => ticker.requests.length === 1)
      await new Promise((resolve) => setTimeout(resolve, 400))
      assert.equal(connected, false)
      answer()
      await connecting
      assert.ok(driven.event('streaming_started'))
      await driven.task.stop()
    })
  })

  test('ends a connect that is aborted', async () => {
    await withTicker({ watch: () => {} }, async (ticker) => {
      const driven = await driveTask(tickerProps(ticker.port))
      const stop = new AbortController()
      const connecting = driven.task.connect(stop.signal)
      await until('the call', () => ticker.requests.length === 1)
      stop.abort(new Error('stopping'))
      await assert.rejects(connecting, /stopping/)
      await driven.task.stop()
    })
  })

  test('names the reason when it cannot connect', async () => {
    const driven = await driveTask(tickerProps(1))
    await assert.rejects(driven.connect(), (error: unknown) => {
      assert.ok(error instanceof NotConnectedError)
      assert.match(error.message, /Cannot connect to 127\.0\.0\.1:1: connect ECONNREFUSED/)
      return true
    })
    assert.equal(driven.event('connection_failed')?.fields['port'], 1)
    await driven.task.stop()
  })

  test('gives up a server that takes the connection and stays silent', async () => {
    const mute = createServer()
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
    const driven = await driveTask(
      tickerProps((mute.address() as AddressInfo).port, { 'grpc.connection.timeout.ms': '150' }),
    )
    await assert.rejects(driven.connect(), /no connection within 150 ms/)
    await driven.task.stop()
    mute.close()
  })

  test('reaches a server that was replaced, over a new connection', async () => {
    const first = await startTicker({ watch: one })
    const driven = await driveTask(tickerProps(first.port, { 'grpc.server.host': 'localhost' }))
    await driven.connect()
    await driven.pollTo(1)
    first.stop()
    await driven.pollToError()
    const second = await startTicker({ watch: one, port: first.port })
    await driven.connect()
    await driven.pollTo(2)
    await driven.task.stop()
    second.stop()
  })

  test('ends at its deadline, which the server receives', async () => {
    let deadline: unknown
    const watch = async (call: WatchCall): Promise<void> => {
      deadline = call.getDeadline()
      await one(call)
    }
    await withTicker({ watch }, async (ticker) => {
      const driven = await driveTask(tickerProps(ticker.port, { 'grpc.deadline.ms': '300' }))
      await driven.connect()
      const error = await driven.pollToError()
      assert.ok(error instanceof NotConnectedError)
      assert.match(error.message, /DEADLINE_EXCEEDED/)
      assert.equal(driven.records.length, 1)
      assert.notEqual(deadline, Infinity)
      await driven.task.stop()
    })
  })

  test('is given up when no message comes for the idle timeout', async () => {
    await withTicker({ watch: one }, async (ticker) => {
      const driven = await driveTask(tickerProps(ticker.port, { 'grpc.idle.timeout.ms': '200' }))
      await driven.connect()
      const error = await driven.pollToError()
      assert.ok(error instanceof NotConnectedError)
      assert.match(error.message, /no message came for 200 ms/)
      assert.equal(driven.records.length, 1)
      await driven.task.stop()
    })
  })

  test('does not count its own pause as silence', async () => {
    await withTicker({ watch: (call) => sendTicks(call, 1, 50_000) }, async (ticker) => {
      const props = { 'grpc.idle.timeout.ms': '100', 'grpc.message.queue.size': '10' }
      const driven = await driveTask(tickerProps(ticker.port, props))
      await driven.connect()
      await until('the queue is full', () => driven.event('queue_full'))
      await new Promise((resolve) => setTimeout(resolve, 400))
      assert.equal(driven.event('stream_error'), undefined)
      await driven.task.stop()
    })
  })
})

describe('the end of a gRPC call', () => {
  for (const [code, name, kind, field] of [
    [14, 'UNAVAILABLE', NotConnectedError, undefined],
    [8, 'RESOURCE_EXHAUSTED', NotConnectedError, undefined],
    [5, 'NOT_FOUND', NotConnectedError, undefined],
    [12, 'UNIMPLEMENTED', ConfigError, 'grpc.method.name'],
    [3, 'INVALID_ARGUMENT', ConfigError, 'grpc.request.message'],
  ] as const) {
    test(`with ${name} is a ${kind.name} in the server's words`, async () => {
      const watch = async (call: WatchCall): Promise<void> => {
        await one(call)
        fail(call, code, 'weil es so ist – ümläut')
      }
      await withTicker({ watch }, async (ticker) => {
        const driven = await driveTask(tickerProps(ticker.port))
        await driven.connect()
        const error = await driven.pollToError()
        assert.ok(error instanceof kind)
        assert.equal(error.field, field)
        assert.match(error.message, new RegExp(`${name}: weil es so ist – ümläut`))
        assert.equal(driven.records.length, 1)
        assert.equal(driven.event('stream_error')?.fields['status_code'], name)
        assert.ok(driven.event('connection_closed'))
        await driven.task.stop()
      })
    })
  }

  test('with refused credentials is final the third time in a row', async () => {
    let healthy = false
    const watch = async (call: WatchCall): Promise<void> => {
      if (healthy) await one(call)
      fail(call, 16, 'token expired')
    }
    await withTicker({ watch }, async (ticker) => {
      const driven = await driveTask(tickerProps(ticker.port))
      const attempt = async (): Promise<unknown> => {
        try {
          await driven.connect()
          return await driven.pollToError()
        } catch (error) {
          return error
        }
      }
      assert.ok((await attempt()) instanceof NotConnectedError)
      assert.ok((await attempt()) instanceof NotConnectedError)
      healthy = true
      assert.ok((await attempt()) instanceof NotConnectedError)
      healthy = false
      // The expiry of a stream that delivered messages counts as no refusal.
      assert.ok((await attempt()) instanceof NotConnectedError)
      assert.ok((await attempt()) instanceof NotConnectedError)
      const third = await attempt()
      assert.ok(third instanceof ConfigError)
      assert.match(third.message, /3 times in a row.*UNAUTHENTICATED: token expired/)
      await driven.task.stop()
    })
  })

  test('with OK leads to a reconnect', async () => {
    await withTicker({ watch: (call) => void call.end() }, async (ticker) => {
      const driven = await driveTask(tickerProps(ticker.port))
      const error = await driven.connect().then(
        () => driven.pollToError(),
        (e: unknown) => e,
      )
      assert.ok(error instanceof NotConnectedError)
      assert.ok(driven.event('stream_completed'))
      await driven.task.stop()
    })
  })
})

describe('a message of a gRPC stream', () => {
  test('gives its record a key, a timestamp and a value', async () => {
    const at = { seconds: 1_700_000_000, nanos: 123_000_000 }
    await withTicker({ watch: (call) => sendTicks(call, 7, 7, { at, price: { units: 5 } }) }, async (ticker) => {
      const driven = await driveTask(tickerProps(ticker.port, { 'key.field': 'price.units', 'timestamp.field': 'at' }))
      await driven.connect()
      const [record] = await driven.pollTo(1)
      assert.deepEqual([record?.key, record?.timestamp, record?.topic], ['5', 1_700_000_000_123, 'ticks'])
      assert.deepEqual(JSON.parse(String(record?.value)), {
        sequence: '7',
        symbol: 'ABC',
        at: '2023-11-14T22:13:20.123Z',
        price: { units: '5', levels: [] },
        token: '',
        blob: '',
      })
      await driven.task.stop()
    })
  })

  test('is passed on unchanged as bytes, without any schema', async () => {
    await withTicker({ watch: one }, async (ticker) => {
      const props = { 'grpc.value.format': 'bytes', 'grpc.proto.descriptor': '' }
      const driven = await driveTask(tickerProps(ticker.port, props))
      await driven.connect()
      const [record] = await driven.pollTo(1)
      assert.deepEqual(record?.value, Buffer.from([8, 1, 18, 3, 65, 66, 67]))
      await driven.task.stop()
    })
  })

  test('that cannot be decoded is a bad record, and the others are not', async () => {
    const watch = async (call: WatchCall): Promise<void> => {
      await sendTicks(call, 1, 1)
      // Field 2, whose text ends after the end of the message.
      call.write({ malformed: Buffer.from([18, 200, 1]) })
      await sendTicks(call, 3, 3)
    }
    await withTicker({ watch }, async (ticker) => {
      const driven = await driveTask(tickerProps(ticker.port))
      await driven.connect()
      const records = await driven.pollTo(3)
      assert.deepEqual(
        records.map((r) => r.error?.code),
        [undefined, 'PROTOBUF_DECODE', undefined],
      )
      assert.ok(records[1]?.error instanceof DataError)
      assert.deepEqual([records[1]?.value, records[1]?.original], [null, Buffer.from([18, 200, 1])])
      assert.deepEqual(sequences([records[0]!, records[2]!]), [1, 3])
      await driven.task.stop()
    })
  })

  for (const reflection of ['v1', 'v1alpha'] as const) {
    test(`is understood by the server's own reflection ${reflection}`, async () => {
      await withTicker({ watch: (call) => sendTicks(call, 1, 10), reflection }, async (ticker) => {
        const driven = await driveTask(tickerProps(ticker.port, { 'grpc.proto.descriptor': '' }))
        await driven.connect()
        assert.deepEqual(sequences(await driven.pollTo(10)), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
        assert.equal(driven.event('proto_descriptor_loaded')?.fields['source'], 'reflection')
        await driven.task.stop()
      })
    })
  }
})
