import { type Child, startScript } from '../support/child.ts'
import type { Rig } from '../support/rig.ts'
import type { Tree } from '../support/tree.ts'
import type { Protocol } from './protocols.ts'
import type { Feed, Source } from './source.ts'

/** A program that brings a feed into a topic. */
export interface Pipe {
  readonly name: string
  readonly committedOnly?: boolean
  start(source: Source, topic: string, feed: Feed): Promise<Child>
}

/** A service of a checkout with one connector, which exists before the service starts. */
export function tributary(
  rig: Rig,
  tree: Tree,
  protocol: Protocol,
  extra: Readonly<Record<string, string>> = {},
): Pipe {
  return {
    name: tree.name,
    committedOnly: extra['exactly.once.support'] !== undefined,
    start: async (source, topic, feed) => {
      const cluster = await rig.cluster([protocol.connector(source, topic, feed, extra)])
      return rig.startService(tree, protocol.app, cluster)
    },
  }
}

/** What a program without a library of ours does with the same messages. */
export function barePipe(rig: Rig, protocol: Protocol, mode: 'json' | 'bytes' | 'pipe' | 'receive'): Pipe {
  return {
    name: mode === 'receive' ? 'receive only' : 'bare pipe',
    start: (source, topic, feed) => {
      const args = [rig.broker, topic, protocol.address(source, feed), JSON.stringify(feed), mode]
      return Promise.resolve(startScript(`${protocol.name}/bare-pipe.ts`, args))
    },
  }
}

/** Sockets that only count bytes. `pauseMs`: how long they pause after a read. `bytes`: when they report. */
export function bareSockets(
  protocol: Protocol,
  source: Source,
  feeds: readonly Feed[],
  { pauseMs = 0, bytes = 0 } = {},
): Child {
  const port = protocol.name === 'grpc' ? source.grpc : source.http
  const args = [protocol.name, port, JSON.stringify(feeds), String(pauseMs), String(bytes)]
  return startScript('streams/bare-socket.ts', args)
}

/** Starts the services of each checkout once, because the first start of a checkout fills Node's compile cache. */
export async function warmUp(rig: Rig, trees: readonly Tree[], app: string): Promise<void> {
  for (const tree of trees) {
    const child = await rig.startService(tree, app, await rig.cluster())
    await child.value('address')
    await child.stop()
  }
  await rig.clean()
}
