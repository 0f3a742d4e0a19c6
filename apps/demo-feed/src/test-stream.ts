import { randomUUID } from 'node:crypto'
import { GrpcError, framed, type Method, Status } from './grpc-server.ts'
import { OpenLoop } from './open-loop.ts'
import { feedSchema } from './schema.ts'

const EVENT_TYPES = ['user.created', 'order.placed', 'payment.processed', 'item.shipped', 'user.login'] as const
const DEFAULT_INTERVAL_MS = 1000

const requestType = feedSchema.lookupType('teststream.StreamRequest')
const eventType = feedSchema.lookupType('teststream.StreamEvent')

/** `/teststream.TestStreamService/StreamEvents`, the service of the JVM connector's demo. */
export const streamEvents: Method = async (requests, call) => {
  for await (const bytes of requests) {
    const { filter, interval_ms: interval } = requestType.toObject(requestType.decode(bytes), { defaults: true }) as {
      filter: string
      interval_ms: number
    }
    if (interval < 0)
      throw new GrpcError(Status.INVALID_ARGUMENT, `interval_ms is ${interval}, it must not be negative`)
    const types = EVENT_TYPES.filter((type) => filter === '' || type === filter)
    if (types.length === 0) {
      throw new GrpcError(Status.INVALID_ARGUMENT, `no event type ${filter}; there are ${EVENT_TYPES.join(', ')}`)
    }
    const loop = new OpenLoop(1000 / (interval || DEFAULT_INTERVAL_MS))
    for (let sequence = 1; ; sequence++) {
      await loop.due(sequence - 1, call.closed)
      const type = types[(sequence - 1) % types.length]!
      await call.write(framed(eventOf(type, sequence)), 1)
    }
  }
  throw new GrpcError(Status.INVALID_ARGUMENT, 'no request came')
}

function eventOf(type: string, sequence: number): Uint8Array {
  return eventType
    .encode({
      event_id: randomUUID(),
      timestamp: new Date().toISOString(),
      event_type: type,
      payload: JSON.stringify({ type, amount: (sequence * 7) % 100 }),
      sequence,
    })
    .finish()
}
