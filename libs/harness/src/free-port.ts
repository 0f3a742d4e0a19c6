import { createServer } from 'node:net'

const given = new Set<number>()

/**
 * A port on the loopback address that nobody listens on, never the same one twice.
 *
 * Taken from below the range from which systems take the ports of outgoing connections (32768 or 49152 and up):
 * a server that is to come back on its port must not find it used by a client's connection, which may even have
 * connected to itself while the server was away.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    if (given.has(port) || !(await isFree(port))) continue
    given.add(port)
    return port
  }
}

/** Whether a server could listen on `port` of the loopback address now. */
export function isFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)))
  })
}
