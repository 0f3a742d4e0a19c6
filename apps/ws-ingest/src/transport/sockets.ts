import { once } from 'node:events'
import * as net from 'node:net'
import * as tls from 'node:tls'

export type TlsOptions = tls.SecureContextOptions & {
  /** Name for SNI and for the check of the certificate; without it the host's. */
  readonly servername?: string
}

/** Where to connect to. */
export interface Endpoint {
  /** Name or address, IPv6 without brackets. */
  readonly host: string
  readonly port: number
  readonly secure: boolean
}

export function endpointOf(url: URL): Endpoint {
  const secure = url.protocol === 'wss:' || url.protocol === 'https:'
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port)
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port, secure }
}

export async function connectTcp({ host, port }: Endpoint, signal: AbortSignal): Promise<net.Socket> {
  signal.throwIfAborted()
  const socket = net.connect({ host, port }).setNoDelay(true)
  await ready(socket, 'connect', signal)
  return socket
}

/** TLS over a connection; takes it over, also when it fails. */
export async function secured(
  tcp: net.Socket,
  host: string,
  options: TlsOptions,
  signal: AbortSignal,
): Promise<tls.TLSSocket> {
  // RFC 6066 forbids addresses in the server name indication.
  const name = net.isIP(host) === 0 ? { servername: host } : {}
  const socket = tls.connect({ ...name, ...options, host, socket: tcp, ALPNProtocols: ['http/1.1'] })
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
    // An error may follow the one that is thrown; without a listener Node would end the process.
    socket.on('error', () => {}).destroy()
    throw signal.aborted ? signal.reason : error
  }
}
