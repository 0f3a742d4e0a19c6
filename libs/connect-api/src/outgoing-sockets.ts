import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import * as net from 'node:net'
import * as tls from 'node:tls'
import { abortable } from '@tributary/async'
import { allowedAddress, checkUnixSocket } from './outgoing.ts'

// As in libs/service/src/admin-server.ts: an import would load undici.
const http = process.getBuiltinModule('node:http')

/** Where a connection leads to. */
export interface Address {
  /** Host name or IP address; IPv6 without brackets. */
  readonly host: string
  readonly port: number
  /** Path of a Unix socket, which is then connected to instead; one in Linux' abstract namespace begins with a zero byte. */
  readonly path?: string
}

export interface ConnectOptions {
  /** The worker names the address, not a connector: it may be anywhere. Default: false. */
  readonly ofWorker?: boolean | undefined
  /** Where the bytes are read to, instead of 'data' events (see `net.connect`). */
  readonly onread?: net.OnReadOpts | undefined
}

/** Connects. Rejects with the cause, with ConfigError for an address that the worker denies, or with the reason of the signal. */
export async function connectTcp(
  { host, port, path }: Address,
  signal: AbortSignal,
  { ofWorker = false, onread }: ConnectOptions = {},
): Promise<net.Socket> {
  signal.throwIfAborted()
  if (path !== undefined && !ofWorker) checkUnixSocket(path)
  const to = path === undefined ? { host, port, ...(ofWorker ? {} : allowedAddress(host)) } : { path }
  const socket = net.connect({ ...to, ...(onread !== undefined && { onread }) }).setNoDelay(true)
  await ready(socket, 'connect', signal)
  return socket
}

/**
 * Sets up TLS on a connection. `options.servername`: the name for SNI and for verifying the certificate; by default the host. Destroys
 * the connection on failure. Rejects with the cause, or with the reason of the signal.
 */
export async function startTls(
  tcp: net.Socket,
  host: string,
  options: tls.ConnectionOptions,
  signal: AbortSignal,
): Promise<tls.TLSSocket> {
  // RFC 6066 forbids addresses in the server name indication.
  const { servername: verified = host, ...rest } = options
  const name = net.isIP(verified) === 0 ? { servername: verified } : {}
  const socket = tls.connect({ ...rest, ...name, host: verified, socket: tcp })
  try {
    await ready(socket, 'secureConnect', signal)
  } catch (error) {
    tcp.destroy()
    throw error
  }
  return socket
}

/**
 * Asks the proxy at the other end of a connection for a tunnel to a server (CONNECT; RFC 9110, section 9.3.6). Resolves with the proxy's
 * answer: with status 200 the connection leads to the server, with any other it is destroyed, as it is on failure. `headers`: those of
 * the request beside Host. Rejects with the cause, or with the reason of the signal.
 */
export async function openTunnel(
  socket: net.Socket,
  { host, port }: Address,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const path = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  try {
    const request = http.request({
      method: 'CONNECT',
      path,
      headers: { host: path, ...headers },
      createConnection: () => socket,
      signal,
    })
    request.on('error', reject)
    request.on('connect', (answer, _socket, head: Buffer) => {
      if (answer.statusCode !== 200) socket.destroy()
      else if (head.length > 0) socket.unshift(head)
      resolve(answer)
    })
    request.end()
    // For an answer of 101 Node ends the connection, and emits neither the answer nor an error.
    return await abortable(promise, signal)
  } catch (error) {
    socket.destroy()
    throw signal.aborted ? signal.reason : error
  }
}

async function ready(socket: net.Socket, event: 'connect' | 'secureConnect', signal: AbortSignal): Promise<void> {
  try {
    await once(socket, event, { signal })
  } catch (error) {
    // A second error may follow; without a listener Node would end the process.
    socket.on('error', () => {}).destroy()
    throw signal.aborted ? signal.reason : error
  }
}
