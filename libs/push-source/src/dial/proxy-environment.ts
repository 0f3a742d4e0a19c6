import { BlockList, isIP } from 'node:net'
import type { Endpoint, ProxyOptions } from './dial.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** The variables that may name a proxy for gRPC, in order. */
const PROXIES = ['grpc_proxy', 'https_proxy', 'http_proxy']

/**
 * The proxy that the environment names for a gRPC server (gRPC, doc/environment_variables.md): the first of grpc_proxy, https_proxy
 * and http_proxy, unless no_grpc_proxy or else no_proxy lists the host. A value without a scheme (`proxy:3128`) is an http proxy, as
 * for curl. null: none, or one that cannot be used (`unusableProxy`). This machine is never behind a proxy.
 */
export function proxyFor(to: Pick<Endpoint, 'host'>, environment: Environment): ProxyOptions | null {
  const url = namedProxy(to, environment)?.url ?? null
  return url === null ? null : { url, ofWorker: true }
}

/**
 * Why a proxy that the environment names for a server is not used, so that the connection is direct: it has another scheme than http
 * and https, or is no address. null: it is used, or there is none. The text holds no password.
 */
export function unusableProxy(to: Pick<Endpoint, 'host'>, environment: Environment): string | null {
  const named = namedProxy(to, environment)
  if (named === null || named.url !== null) return null
  const scheme = /^[a-z][a-z0-9+.-]*(?=:\/\/)/i.exec(named.text)?.[0]
  const reason = scheme === undefined || /^https?$/i.test(scheme) ? 'is no address' : `is a proxy of the kind ${scheme}`
  return `${named.name} ${reason}; only http and https proxies are used, so connections to ${to.host} are direct`
}

interface NamedProxy {
  /** The variable. */
  readonly name: string
  readonly text: string
  /** null: it cannot be used. */
  readonly url: URL | null
}

function namedProxy({ host }: Pick<Endpoint, 'host'>, environment: Environment): NamedProxy | null {
  const found = (names: readonly string[]): readonly [string, string] | undefined =>
    names
      .flatMap((name) => [name, name.toUpperCase()])
      .map((name) => [name, environment[name]?.trim() ?? ''] as const)
      .find(([, text]) => text !== '')
  const proxy = found(PROXIES)
  if (proxy === undefined || host === 'localhost' || isListed(host, ['127.0.0.0/8', '::1'])) return null
  if (isListed(host, (found(['no_grpc_proxy', 'no_proxy'])?.[1] ?? '').split(','))) return null
  const [name, text] = proxy
  const url = URL.parse(text.includes('://') ? text : `http://${text}`)
  return { name, text, url: url !== null && /^https?:$/.test(url.protocol) ? url : null }
}

/** Whether a list has the host: `*`, a name with all names below it, an address, or a network (`10.0.0.0/8`). */
function isListed(host: string, entries: readonly string[]): boolean {
  const name = host.toLowerCase()
  const family = isIP(name)
  return entries.some((text) => {
    const entry = text.trim().toLowerCase()
    if (entry === '') return false
    if (entry === '*' || entry === name) return true
    if (family === 0) return name.endsWith(`.${entry.replace(/^\*?\./, '')}`)
    const [network = '', bits] = entry.split('/')
    return bits !== undefined && isIP(network) === family && isIn(name, network, Number(bits))
  })
}

function isIn(address: string, network: string, bits: number): boolean {
  const family = isIP(address) === 4 ? 'ipv4' : 'ipv6'
  if (!(bits >= 0 && bits <= (family === 'ipv4' ? 32 : 128))) return false
  const list = new BlockList()
  list.addSubnet(network, bits, family)
  return list.check(address, family)
}
