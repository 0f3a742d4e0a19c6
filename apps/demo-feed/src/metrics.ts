import { observableGauge } from '@tributary/telemetry'
import type { Feed } from './feed.ts'
import type { SqsProducer } from './sqs-producer.ts'

/** Exports what the feed could write. Everything else waits for slow clients. Returns a function that ends this. */
export function observeFeed(feed: Feed, sqs: SqsProducer | null): () => void {
  const labelled = (grpc: number, ws: number) => [
    { value: grpc, attributes: { kind: 'grpc' } },
    { value: ws, attributes: { kind: 'websocket' } },
  ]
  const observed = [
    observableGauge('tributary_feed_messages_written_total', 'Messages that clients have let the feed write', () => [
      ...labelled(feed.grpc.messages, feed.ws.messages),
      ...(sqs === null ? [] : [{ value: sqs.sent, attributes: { kind: 'sqs' } }]),
    ]),
    observableGauge('tributary_feed_streams', 'Open streams', () => labelled(feed.grpc.streams, feed.ws.clients)),
  ]
  return () => observed.forEach((end) => end())
}
