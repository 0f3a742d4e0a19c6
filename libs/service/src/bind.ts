import { hostname } from 'node:os'
import { isIP, isIPv6 } from 'node:net'
import { ConfigException } from '@tributary/config'
import type { Logger } from '@tributary/telemetry'

/**
 * Restricts a server without authentication to loopback. Throws ConfigException when `host` goes beyond loopback and
 * `allowed` is false; logs a warning when `allowed` is true. `key` is the setting that contains the host, and `remedy` the
 * setting that turns authentication on, where the server has one.
 */
export function assertBind(key: string, host: string, allowed: boolean, log: Logger, remedy?: string): void {
  if (isLoopback(host)) return
  if (!allowed) {
    const message =
      `Invalid value ${host} for configuration ${key}: it would open a server without authentication to the network; ` +
      `bind to 127.0.0.1, ${remedy === undefined ? '' : `set ${remedy}, `}or set TRIBUTARY_ADMIN_ALLOW_UNAUTHENTICATED=true`
    throw new ConfigException(message, [{ name: key, message }])
  }
  log.warn('unauthenticated_bind', { key, host, advice: 'reachable by the network without authentication' })
}

export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true
  return isIP(host) === 4 && host.startsWith('127.')
}

/**
 * The host at which others reach this service: the advertised host if set, else the bound host. A wildcard becomes this
 * machine's name.
 */
export function advertisedHost(bound: string, advertised: string | null): string {
  if (advertised !== null && advertised !== '') return advertised
  return bound === '0.0.0.0' || bound === '::' ? hostname() : bound
}

/** `host:port`, with an IPv6 address in brackets. */
export function hostPort(host: string, port: number): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`
}
