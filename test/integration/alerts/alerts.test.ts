import { type AlertFeed, alertSuite } from './suite.ts'
import { tickerProps } from '../../support/grpc-task.ts'
import { sendTicks, startTicker, type WatchCall } from '../../support/grpc-ticker.ts'
import { WsTicker } from '../../support/ws-ticker.ts'

/** A stream whose first message has number 1. */
async function startGrpcFeed(endsLater: boolean): Promise<AlertFeed> {
  const calls: WatchCall[] = []
  let sequence = 1
  const server = await startTicker({
    watch: async (call) => {
      calls.push(call)
      await sendTicks(call, 1, 1)
      if (endsLater && calls.length > 1) call.end()
    },
  })
  return {
    props: tickerProps(server.port),
    labels: { server: `127.0.0.1:${server.port}` },
    skip: (count) => void (sequence += count),
    send: (count) => sendTicks(calls.at(-1)!, sequence + 1, (sequence += count)),
    end: () => void calls.at(-1)!.end(),
    stop: () => server.stop(),
  }
}

/** The alert group `grpc_connector` of the documents. */
alertSuite({
  app: 'grpc-ingest',
  connectorClass: 'io.tributary.connect.grpc.GrpcSourceConnector',
  prefix: 'grpc',
  startFeed: startGrpcFeed,
  alerts: {
    HighMessageDropRate: {
      expression: 'grpc_DropRate > 1',
      config: { 'overflow.policy': 'drop', 'grpc.message.queue.size': '10' },
      provoke: async (feed, pause) => {
        await pause()
        await feed.send(1000)
      },
    },
    HighProcessingLag: {
      expression: 'grpc_LagCount > 10000',
      config: { 'grpc.message.queue.size': '20000' },
      provoke: async (feed, pause) => {
        await pause()
        await feed.send(15_000)
      },
    },
    SequenceGapsDetected: {
      expression: 'rate(grpc_sequence_gaps[5m]) > 0',
      config: { 'grpc.resume.field': 'sequence' },
      provoke: async (feed) => {
        await feed.skip(3)
        await feed.send(1)
      },
    },
    GrpcDisconnected: { expression: 'grpc_isConnected == 0', config: {}, provoke: (feed) => feed.stop() },
    FrequentReconnections: {
      expression: 'increase(grpc_TotalReconnects[5m]) > 10',
      config: { 'grpc.reconnect.interval.ms': '1', 'grpc.reconnect.backoff.max.ms': '1' },
      ends: true,
      provoke: (feed) => feed.end(),
    },
  },
})

async function startWebSocketFeed(endsLater: boolean): Promise<AlertFeed> {
  let skipped = 0
  const ticker = await WsTicker.start({
    message: (n) => `{"n":${n + skipped}}`,
    onConnection: (feed, nth) => {
      feed.send(1)
      if (endsLater && nth > 1) feed.close()
    },
  })
  return {
    props: ticker.props(),
    labels: { url: `127.0.0.1_${ticker.port}` },
    skip: (count) => void (skipped += count),
    send: (count) => ticker.send(count),
    end: () => ticker.close(),
    stop: () => ticker.stop(),
  }
}

/** The alert group `websocket_connector`, and the group of gaps, which the documents have only for gRPC. */
alertSuite({
  app: 'ws-ingest',
  connectorClass: 'io.conduktor.connect.websocket.WebSocketSourceConnector',
  prefix: 'websocket',
  startFeed: startWebSocketFeed,
  alerts: {
    HighMessageDropRate: {
      expression: 'websocket_DropRate > 1',
      config: { 'overflow.policy': 'drop', 'websocket.message.queue.size': '10' },
      provoke: async (feed, pause) => {
        await pause()
        await feed.send(1000)
      },
    },
    HighProcessingLag: {
      expression: 'websocket_LagCount > 10000',
      config: { 'websocket.message.queue.size': '20000' },
      provoke: async (feed, pause) => {
        await pause()
        await feed.send(15_000)
      },
    },
    SequenceGapsDetected: {
      expression: 'rate(websocket_sequence_gaps[5m]) > 0',
      config: { 'sequence.field': 'n' },
      provoke: async (feed) => {
        await feed.skip(3)
        await feed.send(1)
      },
    },
    WebSocketDisconnected: { expression: 'websocket_isConnected == 0', config: {}, provoke: (feed) => feed.stop() },
    FrequentReconnections: {
      expression: 'increase(websocket_TotalReconnects[5m]) > 10',
      config: { 'websocket.reconnect.interval.ms': '1', 'websocket.reconnect.backoff.max.ms': '1' },
      ends: true,
      provoke: (feed) => feed.end(),
    },
  },
})
