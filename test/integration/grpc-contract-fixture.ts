import { grpcSource } from '@tributary/grpc-ingest'
import type { Feed, SourceFixture } from '@tributary/testkit'
import { tickerProps } from './grpc-task-rig.ts'
import { fail, sendTicks, startTicker, type Tick, type WatchCall } from './grpc-ticker.ts'

const PADDING = Buffer.alloc(900, 7)
const LARGE = 'large'

/** A numbered feed on a grpc-js server. A stream goes on after the number that its request names, else with what is sent from now on, as a live feed does. */
async function startFeed(): Promise<Feed> {
  let wanted = 0
  let open: WatchCall | null = null
  let wake = (): void => {}
  const large = new Map<number, number>()

  const tickOf = (sequence: number): Tick => {
    const bytes = large.get(sequence)
    return bytes === undefined ? { blob: PADDING } : { symbol: LARGE, blob: Buffer.alloc(bytes) }
  }
  const watch = async (call: WatchCall): Promise<void> => {
    open = call
    call.sendMetadata(call.metadata.clone())
    for (let at = call.request.from?.sequence ?? wanted; !call.cancelled;) {
      while (at < wanted && !call.cancelled && open === call) {
        at++
        await sendTicks(call, at, at, tickOf(at))
      }
      if (open !== call) return
      await new Promise<void>((resolve) => {
        wake = resolve
        call.once('cancelled', () => resolve())
      })
    }
  }
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
      const call = open
      open = null
      wake()
      if (call) fail(call, 14, 'cut by the test')
    },
    stop() {
      ticker.stop()
      return Promise.resolve()
    },
  }
}

/** What the gRPC source brings to the contract suite. */
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
  // The HTTP/2 window of 1 MiB bounds what is under way; the rest is for what Node's streams hold at both ends.
  transportBytes: 2 * 1024 * 1024,
  messageBytes: 910,
}
