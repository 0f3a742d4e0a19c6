import { isIP, isIPv6 } from 'node:net'
import { grpcErrors } from '../errors.ts'

/** One address of a server. */
export interface Target {
  /** Host name or IP address, without brackets. */
  readonly host: string
  readonly port: number
  /** Path of a Unix socket; one in Linux' abstract namespace begins with a zero byte. */
  readonly path?: string
  /** `:authority` of the calls. */
  readonly authority: string
}

export const HOST_KEY = 'grpc.server.host'

/** Each address is looked up, by few threads that all connectors of the process share. */
const MAX_TARGETS = 100

/**
 * The addresses that `grpc.server.host` names, in the order in which they are tried: a host, or a target of gRPC
 * (doc/naming.md), or several of these with commas between them. `port` belongs to addresses without a port. Throws ConfigError.
 */
export function targetsOf(hosts: string, port: number): readonly Target[] {
  const targets = hosts.split(',').map((text) => text.trim())
  if (targets.length > MAX_TARGETS) throw invalid(`of ${targets.length} addresses`, `at most ${MAX_TARGETS} are tried`)
  // `ipv4:` and `ipv6:` stand once, before a list.
  let family = ''
  return targets.map((text) => {
    const scheme = /^(dns|ipv4|ipv6|unix|unix-abstract):/.exec(text)?.[1]
    if (isIPv6(text) || scheme === undefined) return addressOf(family, text, port)
    family = scheme.startsWith('ip') ? scheme : ''
    const rest = text.slice(scheme.length + 1)
    if (scheme === 'unix') return unixTarget(rest.startsWith('//') ? rest.slice(2) : rest, text)
    if (scheme === 'unix-abstract') return unixTarget(`\0${rest}`, text)
    return addressOf(scheme, scheme === 'dns' ? withoutDnsServer(rest, text) : rest, port)
  })
}

/** The first address, which names the server in the source partition: addresses may be added behind it without losing offsets. */
export function targetName(hosts: string, port: number): string {
  const [first = ''] = hosts.split(',').map((text) => text.trim())
  if (/^unix(?:-abstract)?:/.test(first)) return first
  const plain = first.replace(/^dns:(?:\/\/\/)?|^ipv[46]:/, '')
  return !isIPv6(plain) && /^(?:\[.*\]|[^:]*):\d+$/.test(plain) ? plain : `${plain}:${port}`
}

function unixTarget(path: string, text: string): Target {
  if (path === '' || path === '\0') throw invalid(text, 'it names no path')
  return { host: 'localhost', port: 0, path, authority: 'localhost' }
}

function withoutDnsServer(rest: string, text: string): string {
  if (!rest.startsWith('//')) return rest
  const slash = rest.indexOf('/', 2)
  if (slash !== 2) throw invalid(text, 'a DNS server of its own is not supported, write dns:///host:port')
  return rest.slice(3)
}

function addressOf(scheme: string, text: string, defaultPort: number): Target {
  const { host, port } = hostAndPort(text, defaultPort)
  if (host === '' || /[\s/@?#[\]]/.test(host)) throw invalid(text, 'it is no host, host:port, or target of gRPC')
  if (!(port >= 1 && port <= 65_535)) throw invalid(text, 'a port is between 1 and 65535')
  const family = isIP(host)
  if (scheme.startsWith('ip') && scheme !== `ipv${family}`) throw invalid(text, `it is no IP address of ${scheme}`)
  return { host, port, authority: `${family === 6 ? `[${host}]` : host}:${port}` }
}

function hostAndPort(text: string, defaultPort: number): { host: string; port: number } {
  if (isIPv6(text)) return { host: text, port: defaultPort }
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d*))?$/.exec(text) ?? []
  return { host: bracketed ?? plain ?? '', port: port === undefined ? defaultPort : Number(port) }
}

function invalid(text: string, reason: string): Error {
  return grpcErrors.GRPC_TARGET(`Invalid value ${text} for configuration ${HOST_KEY}: ${reason}`, { field: HOST_KEY })
}
