import { once } from 'node:events'
import * as http from 'node:http'
import * as net from 'node:net'
import type { TestContext } from 'node:test'

/** An HTTP proxy that knows only CONNECT. */
export interface ConnectProxy {
  readonly port: number
  /** The requested targets, such as `127.0.0.1:443`, with the credentials. */
  readonly asked: { readonly authority: string; readonly credentials: string | undefined }[]
  /** The number of open connections of clients. */
  readonly open: Set<net.Socket>
}

export type ProxyAnswer = 'connect' | 'nothing' | '407 Proxy Authentication Required' | '502 Bad Gateway'

/** Starts a proxy, which ends with the test. `hosts`: the addresses of names that only the proxy knows. */
export async function startConnectProxy(
  t: TestContext,
  answer: () => ProxyAnswer = () => 'connect',
  hosts: Readonly<Record<string, string>> = {},
): Promise<ConnectProxy> {
  const asked: ConnectProxy['asked'] = []
  const open = new Set<net.Socket>()
  const server = http.createServer()
  server.on('connection', (socket: net.Socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
  })
  server.on('connect', (request, client: net.Socket) => {
    const authority = request.url ?? ''
    client.on('error', () => {})
    asked.push({ authority, credentials: request.headers['proxy-authorization'] })
    const what = answer()
    if (what !== 'connect') {
      // The proxy leaves the connection to its client.
      if (what !== 'nothing') client.write(`HTTP/1.1 ${what}\r\nContent-Length: 0\r\n\r\n`)
      client.on('end', () => client.end()).resume()
      return
    }
    const [host, port] = [
      authority.slice(0, authority.lastIndexOf(':')),
      authority.slice(authority.lastIndexOf(':') + 1),
    ]
    const upstream = net.connect(Number(port), hosts[host] ?? host, () =>
      client.write('HTTP/1.1 200 Connection established\r\n\r\n'),
    )
    upstream.on('error', () => client.destroy())
    upstream.pipe(client).pipe(upstream)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    for (const socket of open) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  return { port: (server.address() as net.AddressInfo).port, asked, open }
}
