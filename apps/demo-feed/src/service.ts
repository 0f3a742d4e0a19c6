import { assertBind, hostPort, runService } from '@tributary/service'
import manifest from '../package.json' with { type: 'json' }
import { startFeed } from './feed.ts'
import { observeFeed } from './metrics.ts'
import { feedSettings } from './settings.ts'

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
    const endObserving = observeFeed(feed)
    return {
      ready: () => true,
      startedFields: { grpc: hostPort(host, feed.grpcPort), ws: `ws://${hostPort(host, feed.wsPort)}/quotes` },
      stop: async () => {
        endObserving()
        await feed.stop()
      },
    }
  },
})
