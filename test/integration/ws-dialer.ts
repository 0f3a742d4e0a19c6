import type { Props } from '@tributary/connect-api'
import { createDialer } from '../../apps/ws-ingest/src/connection/dialer.ts'
import { parseConfig } from '../../apps/ws-ingest/src/config/config.ts'
import { openWebSocket } from '../../apps/ws-ingest/src/transport/open-websocket.ts'
import { type LogLine, rememberingLog } from './grpc-task-rig.ts'
import { OpenFeed } from './ws-open.ts'

/** A source's settings turned into connections, as its task does it. */
export interface TestDialer {
  readonly log: readonly LogLine[]
  open(): Promise<OpenFeed>
}

export function feedProps(url: string, more: Props = {}): Props {
  return { 'websocket.url': url, 'kafka.topic': 'ticks', ...more }
}

export async function dialerOf(props: Props): Promise<TestDialer> {
  const log: LogLine[] = []
  const dialer = await createDialer(parseConfig(props), props, openWebSocket, rememberingLog(log))
  return {
    log,
    open: async () => {
      const feed = new OpenFeed()
      const listener = {
        onMessage: (data: Buffer) => void feed.messages.push(data),
        onEnd: feed.end.bind(feed),
      }
      feed.connection = await dialer.open(() => '', listener, new AbortController().signal)
      return feed
    },
  }
}
