import { GrpcServer, type ServerStats } from './grpc-server.ts'
import { streamQuotes } from './market-data.ts'
import { reflectionMethods } from './reflection.ts'
import { feedDescriptors, feedSchema } from './schema.ts'
import { streamEvents } from './test-stream.ts'
import { WsFeed, type WsStats } from './ws-feed.ts'

const SERVICES = ['tributary.demo.v1.MarketData', 'teststream.TestStreamService']

export interface FeedOptions {
  /** Default: 127.0.0.1. */
  readonly host?: string
  /** 0 (default): any free port. */
  readonly grpcPort?: number
  readonly wsPort?: number
}

export interface Feed {
  readonly grpcPort: number
  readonly wsPort: number
  readonly grpc: ServerStats
  readonly ws: WsStats
  stop(): Promise<void>
}

/** Starts both servers. Rejects when a port is taken. */
export async function startFeed({ host = '127.0.0.1', grpcPort = 0, wsPort = 0 }: FeedOptions = {}): Promise<Feed> {
  const knows = (symbol: string): boolean => feedSchema.lookup(symbol) !== null
  const grpc = new GrpcServer(
    new Map([
      ['/tributary.demo.v1.MarketData/StreamQuotes', streamQuotes],
      ['/teststream.TestStreamService/StreamEvents', streamEvents],
      ...reflectionMethods(feedDescriptors(), SERVICES, knows),
    ]),
  )
  const listening = await grpc.listen(host, grpcPort)
  const ws = new WsFeed(host, wsPort)
  try {
    return {
      grpcPort: listening,
      wsPort: await ws.listening(),
      grpc: grpc.stats,
      ws: ws.stats,
      stop: async () => {
        await Promise.all([grpc.stop(), ws.stop()])
      },
    }
  } catch (error) {
    await grpc.stop()
    throw error
  }
}
