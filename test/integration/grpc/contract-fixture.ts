import { grpcSource } from '@tributary/grpc-ingest'
import type { Feed, SourceFixture } from '@tributary/testkit'
import { tickerProps } from '../../support/grpc-task.ts'
import { fail, sendTicks, startTicker, type Tick, type WatchCall } from '../../support/grpc-ticker.ts'

const PADDING = Buffer.alloc(900, 7)
const LARGE = 'large'

/**
 * A numbered feed on a grpc-js server. A stream continues after the number that its request names. Without a number it
 * sends, like a live feed, only new messages.
 */
async function startFeed(): Promise<Feed> {
  let wanted = 0
  const open = new Set<WatchCall>()
  const waiting = new Set<() => void>()
  const wake = (): void => waiting.forEach((go) => go())
  const large = new Map<number, number>()

  const tickOf = (sequence: number): Tick => {
    const bytes = large.get(sequence)
    return bytes === undefined ? { blob: PADDING } : { symbol: LARGE, blob: Buffer.alloc(bytes) }
  }
  const watch = async (call: WatchCall): Promise<void> => {
    open.add(call)
    call.once('cancelled', () => open.delete(call))
    call.sendMetadata(call.metadata.clone())
    for (let at = call.request.from?.sequence ?? wanted; open.has(call);) {
      while (at < wanted && open.has(call)) {
        at++
        await sendTicks(call, at, at, tickOf(at))
      }
      if (open.has(call)) await more(call)
    }
  }
  const more = (call: WatchCall): Promise<void> =>
    new Promise((resolve) => {
      const go = (): void => {
        waiting.delete(go)
        call.off('cancelled', go)
        resolve()
      }
      waiting.add(go)
      call.once('cancelled', go)
    })
  const ticker = await startTicker({ watch })
  return {
    props: tickerProps(ticker.port),
    send(count) {
      wanted += count
      wake()
    },
    get written() {
      return ticker.written
    },
    sendLarge(bytes) {
      large.set(++wanted, bytes)
      wake()
    },
    get connections() {
      return ticker.requests.length
    },
    cut() {
      const calls = [...open]
      open.clear()
      wake()
      for (const call of calls) fail(call, 14, 'cut by the test')
    },
    stop() {
      ticker.stop()
      return Promise.resolve()
    },
  }
}

/** The parts of the gRPC source that the contract suite needs. */
export const grpcFixture: SourceFixture = {
  plugin: grpcSource,
  startFeed,
  numberOf(value) {
    const { symbol, sequence } = JSON.parse(Buffer.from(value).toString()) as { symbol: string; sequence: string }
    return symbol === LARGE ? null : Number(sequence)
  },
  numberAt: ({ sequence }) => Number(sequence),
  queueBound: (records) => ({ 'grpc.message.queue.size': String(records) }),
  // One read of an HTTP/2 frame of 16 KiB.
  queueOvershoot: 20,
  resume: { 'grpc.resume.field': 'sequence', 'grpc.resume.request.field': 'from.sequence' },
  deduplicates: { 'grpc.resume.field': 'sequence' },
  // The HTTP/2 window of 1 MiB bounds the messages under way. The rest is what Node's streams hold at both ends.
  transportBytes: 2 * 1024 * 1024,
  messageBytes: 910,
}
