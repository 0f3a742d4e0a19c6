import { once } from 'node:events'
import * as net from 'node:net'
import { unescape } from 'node:querystring'
import * as tls from 'node:tls'
import { setTimeout as sleep } from 'node:timers/promises'
import { abortable } from '@tributary/async'
import { allowedAddress, checkHost, checkUnixSocket, ConfigError } from '@tributary/connect-api'
import { HandshakeRefused } from './handshake-refused.ts'

// As in libs/service/src/admin-server.ts: an import would load undici.
const http = process.getBuiltinModule('node:http')

/** Longest wait, in ms, for the addresses of a name that are only checked. */
const LOOKUP_MS = 2000

export interface DialOptions {
  readonly tls: TlsOptions
  /** Protocol to agree on by ALPN (RFC 7301): `h2` or `http/1.1`. */
  readonly alpn: string
  /** null: connect directly to the server. */
  readonly proxy: ProxyOptions | null
  /** Where the bytes of a socket without TLS and proxy are read to, instead of 'data' events (see `net.connect`). */
  readonly onread?: net.OnReadOpts
}

/**
 * Looks up the host, connects (through the proxy if there is one) and sets up TLS. Rejects with the cause, with ConfigError for an
 * address that the worker denies, or with the reason of the signal.
 */
export async function dial(
  to: Endpoint,
  { tls: options, alpn, proxy, onread }: DialOptions,
  signal: AbortSignal,
): Promise<net.Socket> {
  const tcp =
    proxy === null
      ? await connectTcp(to, allowed(to), signal, to.secure ? undefined : onread)
      : await connectThroughProxy(proxy, to, signal)
  return to.secure ? startTls(tcp, to.host, { ...options, ALPNProtocols: [alpn] }, signal) : tcp
}

export type TlsOptions = tls.SecureContextOptions & {
  /** false: any certificate is taken. */
  readonly rejectUnauthorized?: boolean
  /** Name for SNI and for verifying the certificate; by default the host. */
  readonly servername?: string
}

/** A server or proxy to connect to. */
export interface Endpoint {
  /** Host name or IP address; IPv6 without brackets. */
  readonly host: string
  readonly port: number
  /** Path of a Unix socket, which is then connected to instead; one in Linux' abstract namespace begins with a zero byte. */
  readonly path?: string
  readonly secure: boolean
}

export function endpointOf(url: URL): Endpoint {
  const secure = url.protocol === 'wss:' || url.protocol === 'https:'
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port)
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port, secure }
}

/** Throws ConfigError for an endpoint that no connector may connect to. */
function allowed({ host, path }: Endpoint): ReturnType<typeof allowedAddress> {
  if (path === undefined) return allowedAddress(host)
  checkUnixSocket(path)
  return {}
}

/**
 * Why no connector may connect to a server; null: it may, or the name has no address now, or none was found within 2 s. For the answer
 * of validate.
 */
export async function deniedServer({
  host,
  path,
}: {
  host: string
  path?: string | undefined
}): Promise<ConfigError | null> {
  try {
    if (path === undefined) await Promise.race([checkHost(host), sleep(LOOKUP_MS, undefined, { ref: false })])
    else checkUnixSocket(path)
    return null
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
}

async function connectTcp(
  { host, port, path }: Endpoint,
  lookup: ReturnType<typeof allowedAddress>,
  signal: AbortSignal,
  onread?: net.OnReadOpts,
): Promise<net.Socket> {
  signal.throwIfAborted()
  const reading = onread === undefined ? {} : { onread }
  const socket = net
    .connect({ ...(path === undefined ? { host, port, ...lookup } : { path }), ...reading })
    .setNoDelay(true)
  await ready(socket, 'connect', signal)
  return socket
}

/** Sets up TLS on a connection. Destroys the connection on failure. */
async function startTls(
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

async function ready(socket: net.Socket, event: 'connect' | 'secureConnect', signal: AbortSignal): Promise<void> {
  try {
    await once(socket, event, { signal })
  } catch (error) {
    // A second error may follow; without a listener Node would end the process.
    socket.on('error', () => {}).destroy()
    throw signal.aborted ? signal.reason : error
  }
}

export interface ProxyOptions {
  /** `http://` or `https://`; may hold user and password for the proxy. */
  readonly url: URL
  /** The worker's environment names the proxy, not the connector: the proxy may be anywhere. Default: false. */
  readonly ofWorker?: boolean
}

/**
 * Opens a tunnel through the proxy (CONNECT; RFC 9110, section 9.3.6). Rejects with the cause, or with the reason of
 * the signal.
 */
async function connectThroughProxy(
  { url, ofWorker = false }: ProxyOptions,
  to: Endpoint,
  signal: AbortSignal,
): Promise<net.Socket> {
  const proxy = endpointOf(url)
  await abortable(checkHost(to.host), signal)
  const tcp = await connectTcp(proxy, ofWorker ? {} : allowed(proxy), signal)
  const socket = proxy.secure ? await startTls(tcp, proxy.host, { ALPNProtocols: ['http/1.1'] }, signal) : tcp
  try {
    return await tunnel(socket, url, to, signal)
  } catch (error) {
    socket.destroy()
    throw signal.aborted ? signal.reason : error
  }
}

function tunnel(
  socket: net.Socket,
  { username, password }: URL,
  to: Endpoint,
  signal: AbortSignal,
): Promise<net.Socket> {
  const authority = `${to.host.includes(':') ? `[${to.host}]` : to.host}:${to.port}`
  const user = `${unescape(username)}:${unescape(password)}`
  const { promise, resolve, reject } = Promise.withResolvers<net.Socket>()
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
  request.on('connect', (response, connected: net.Socket, head: Buffer) => {
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
