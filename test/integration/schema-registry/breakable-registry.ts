import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** A way to a registry that can be cut off and opened again at the same port. */
export interface BreakableRegistry {
  /** For `schema.registry.url`. */
  readonly url: string
  /** Connections so far. */
  readonly connections: number
  /** Ends all connections; new ones are refused. */
  break(): void
  mend(): Promise<void>
}

/** Leads to the registry until the test ends. `registryUrl`: of Confluent's REST API. */
export async function breakableRegistry(t: TestContext, registryUrl: string): Promise<BreakableRegistry> {
  const to = new URL(registryUrl)
  const open = new Set<Socket>()
  let server: Server
  let count = 0
  const listen = async (port: number): Promise<number> => {
    server = createServer((client) => {
      count++
      const upstream = connect(Number(to.port), to.hostname)
      for (const [socket, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        open.add(socket)
        socket
          .on('error', () => other.destroy())
          .on('close', () => {
            open.delete(socket)
            other.destroy()
          })
        socket.pipe(other)
      }
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }
  const port = await listen(0)
  const cut = (): void => {
    server.close()
    for (const socket of open) socket.destroy()
  }
  t.after(cut)
  return {
    url: `http://127.0.0.1:${port}${to.pathname}`,
    get connections() {
      return count
    },
    break: cut,
    mend: async () => {
      await listen(port)
    },
  }
}
