import type * as net from 'node:net'
import { unescape } from 'node:querystring'
import type * as tls from 'node:tls'
import { setTimeout as sleep } from 'node:timers/promises'
import { abortable } from '@tributary/async'
import {
  type Address,
  checkHost,
  checkUnixSocket,
  ConfigError,
  connectTcp,
  openTunnel,
  startTls,
} from '@tributary/connect-api'
import { HandshakeRefused } from './handshake-refused.ts'

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
      ? await connectTcp(to, signal, { onread: to.secure ? undefined : onread })
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
export interface Endpoint extends Address {
  readonly secure: boolean
}

export function endpointOf(url: URL): Endpoint {
  const secure = url.protocol === 'wss:' || url.protocol === 'https:'
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port)
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port, secure }
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
  const tcp = await connectTcp(proxy, signal, { ofWorker })
  const socket = proxy.secure ? await startTls(tcp, proxy.host, { ALPNProtocols: ['http/1.1'] }, signal) : tcp
  const answer = await openTunnel(socket, to, authorization(url), signal)
  if (answer.statusCode !== 200) throw new HandshakeRefused('The proxy', answer, '')
  return socket
}

function authorization({ username, password }: URL): Readonly<Record<string, string>> {
  const user = `${unescape(username)}:${unescape(password)}`
  return user === ':' ? {} : { 'proxy-authorization': `Basic ${Buffer.from(user).toString('base64')}` }
}
