import { observableGauge } from '@tributary/telemetry'
import type { Feed } from './feed.ts'

/** What the feed could write: the rest is waiting for slow clients. Answers a function that ends it. */
export function observeFeed(feed: Feed): () => void {
  const labelled = (grpc: number, ws: number) => [
    { value: grpc, attributes: { kind: 'grpc' } },
    { value: ws, attributes: { kind: 'websocket' } },
  ]
  const observed = [
    observableGauge('tributary_feed_messages_written_total', 'Messages that clients have let the feed write', () =>
      labelled(feed.grpc.messages, feed.ws.messages),
    ),
    observableGauge('tributary_feed_streams', 'Open streams', () => labelled(feed.grpc.streams, feed.ws.clients)),
  ]
  return () => observed.forEach((end) => end())
}
