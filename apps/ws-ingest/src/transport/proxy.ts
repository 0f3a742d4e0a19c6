import * as http from 'node:http'
import type { Socket } from 'node:net'
import { unescape } from 'node:querystring'
import { HandshakeRefused } from './handshake-refused.ts'
import { connectTcp, type Endpoint, endpointOf, secured } from './sockets.ts'

export interface ProxyOptions {
  /** `http://` or `https://`; a user and a password in it are for the proxy. */
  readonly url: URL
}

/** A tunnel to the server, made by the proxy (RFC 9110, section 9.3.6: CONNECT). Rejects with the reason, or the signal's. */
export async function throughProxy({ url }: ProxyOptions, to: Endpoint, signal: AbortSignal): Promise<Socket> {
  const proxy = endpointOf(url)
  const tcp = await connectTcp(proxy, signal)
  const socket = proxy.secure ? await secured(tcp, proxy.host, {}, signal) : tcp
  try {
    return await tunnel(socket, url, to, signal)
  } catch (error) {
    socket.destroy()
    throw signal.aborted ? signal.reason : error
  }
}

function tunnel(socket: Socket, { username, password }: URL, to: Endpoint, signal: AbortSignal): Promise<Socket> {
  const authority = `${to.host.includes(':') ? `[${to.host}]` : to.host}:${to.port}`
  const user = `${unescape(username)}:${unescape(password)}`
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const request = http.request({
    method: 'CONNECT',
    path: authority,
    headers: {
      host: authority,
      ...(user === ':' ? {} : { 'proxy-authorization': `Basic ${Buffer.from(user).toString('base64')}` }),
    },
    createConnection: () => socket,
    signal,
  })
  request.on('error', reject)
  request.on('connect', (response, connected: Socket, head: Buffer) => {
    if (response.statusCode === 200) {
      if (head.length > 0) connected.unshift(head)
      resolve(connected)
    } else {
      reject(new HandshakeRefused('The proxy', response, ''))
    }
  })
  request.end()
  return promise
}
