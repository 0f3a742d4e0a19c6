import { assertBind, hostPort, runService } from '@tributary/service'
import manifest from '../package.json' with { type: 'json' }
import { startFeed } from './feed.ts'
import { observeFeed } from './metrics.ts'
import { feedSettings } from './settings.ts'
import type { SqsProducer, SqsProducerOptions } from './sqs-producer.ts'

await runService({
  name: 'demo-feed',
  version: manifest.version,
  settings: feedSettings,
  async start({ settings, log }) {
    const host = settings['feed.host']
    assertBind('feed.host', host, settings['admin.allow.unauthenticated'], log)
    const feed = await startFeed({
      host,
      grpcPort: settings['feed.grpc.port'],
      wsPort: settings['feed.ws.port'],
    })
    const endpoint = settings['feed.sqs.endpoint']
    const sqs = endpoint === null ? null : await startProducer({ endpoint, queue: settings['feed.sqs.queue'], log })
    const endObserving = observeFeed(feed, sqs)
    return {
      ready: () => true,
      startedFields: { grpc: hostPort(host, feed.grpcPort), ws: `ws://${hostPort(host, feed.wsPort)}/quotes` },
      stop: async () => {
        endObserving()
        await Promise.all([feed.stop(), sqs?.stop()])
      },
    }
  },
})

/** The SDK is loaded only where it is used. */
async function startProducer(options: SqsProducerOptions): Promise<SqsProducer> {
  const { SqsProducer } = await import('./sqs-producer.ts')
  return await SqsProducer.start(options)
}
