import { createServer } from 'node:net'

const given = new Set<number>()

/**
 * A port of the loopback address on which nobody listens. Never returns the same port twice.
 *
 * The port is below the range from which systems take the ports of outgoing connections (32768 or 49152 and up). A
 * server that restarts on its port must not find that port used by a client's connection. Such a connection may even
 * have connected to itself while the server was down.
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
