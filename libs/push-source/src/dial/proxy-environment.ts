import { BlockList, isIP } from 'node:net'
import type { Endpoint, ProxyOptions } from './dial.ts'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The proxy that the environment names for a gRPC server (gRPC, doc/environment_variables.md): the first of grpc_proxy, https_proxy
 * and http_proxy, unless no_grpc_proxy or else no_proxy lists the host. A value without a scheme (`proxy:3128`) is an http proxy, as
 * for curl. null: none, or one of another kind than http and https. This machine is never behind a proxy.
 */
export function proxyFor({ host }: Pick<Endpoint, 'host'>, environment: Environment): ProxyOptions | null {
  const value = (...names: string[]): string | undefined =>
    names.flatMap((name) => [environment[name], environment[name.toUpperCase()]]).find((text) => text?.trim())
  const text = value('grpc_proxy', 'https_proxy', 'http_proxy')
  const url = text === undefined ? null : URL.parse(text.includes('://') ? text : `http://${text.trim()}`)
  if (url === null || !/^https?:$/.test(url.protocol)) return null
  if (host === 'localhost' || isListed(host, ['127.0.0.0/8', '::1'])) return null
  return isListed(host, (value('no_grpc_proxy', 'no_proxy') ?? '').split(',')) ? null : { url }
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
