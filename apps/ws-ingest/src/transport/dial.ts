import type { Socket } from 'node:net'
import { type ProxyOptions, throughProxy } from './proxy.ts'
import { connectTcp, type Endpoint, secured, type TlsOptions } from './sockets.ts'

export interface DialOptions {
  readonly tls: TlsOptions
  /** null: straight to the server. */
  readonly proxy: ProxyOptions | null
}

/** Looks the name up, connects, by way of the proxy if there is one, and agrees on TLS. Rejects with the reason, or the signal's. */
export async function dial(to: Endpoint, { tls: options, proxy }: DialOptions, signal: AbortSignal): Promise<Socket> {
  const tcp = proxy === null ? await connectTcp(to, signal) : await throughProxy(proxy, to, signal)
  return to.secure ? secured(tcp, to.host, options, signal) : tcp
}
