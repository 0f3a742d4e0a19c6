import * as dns from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { commonErrors } from './common-errors.ts'
import { ConfigError } from './errors.ts'
import type { DeniedNetworks } from './denied-networks.ts'

const SETTING = 'connect.deny.networks'

/** What the process allows its sources; null: everything. */
let denied: DeniedNetworks | null = null

/** Sets the networks that no source of this process may connect to; null: none. */
export function denyNetworks(networks: DeniedNetworks | null): void {
  denied = networks
}

/**
 * Options for `net.connect`, for `http.request` without an agent, and for whatever else takes a `lookup`, with which a connection to
 * the host is made to an allowed address only. The address that is judged is the one that is connected to: the name is not looked up
 * again. An IP address, which no lookup sees, is judged at once. Each connection of a source needs these options. Throws ConfigError, and
 * so does the lookup.
 *
 *     const socket = net.connect({ host, port, ...allowedAddress(host) })
 */
export function allowedAddress(host: string): { readonly lookup?: LookupFunction } {
  if (denied === null) return {}
  const plain = host.replace(/^\[(.*)\]$/, '$1')
  if (isIP(plain) !== 0) judge(plain, [plain], denied)
  return { lookup }
}

/**
 * Rejects with ConfigError if a host has only denied addresses. For hosts that another process connects to, such as a proxy, which
 * looks the name up itself: it may find another address. A name that has no address here is allowed.
 */
export async function checkHost(host: string): Promise<void> {
  if (denied === null) return
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const { lookup: find } = allowedAddress(host)
  find?.(host, { all: true }, (error) => (error instanceof ConfigError ? reject(error) : resolve()))
  return promise
}

/** Throws ConfigError if a Unix socket may not be connected to: it leads to this machine, as loopback does. */
export function checkUnixSocket(path: string): void {
  const entry = denied?.denies('127.0.0.1') ?? null
  if (entry !== null) throw refusal(path.replace('\0', '@'), 'a socket of this machine', entry)
}

const lookup: LookupFunction = (host, options, callback) => {
  dns.lookup(host, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, options.all === true ? [] : '', 0)
    try {
      const networks = denied
      const allowed =
        networks === null ? addresses : addresses.filter(({ address }) => networks.denies(address) === null)
      if (networks !== null && allowed.length === 0)
        judge(
          host,
          addresses.map(({ address }) => address),
          networks,
        )
      if (options.all === true) return callback(null, allowed)
      return callback(null, allowed[0]!.address, allowed[0]!.family)
    } catch (refused) {
      return callback(refused as Error, options.all === true ? [] : '', 0)
    }
  })
}

/** Throws ConfigError for the first denied address. */
function judge(host: string, addresses: readonly string[], networks: DeniedNetworks): void {
  for (const address of addresses) {
    const entry = networks.denies(address)
    if (entry !== null) throw refusal(host, address === host ? 'an address' : `the address ${address}`, entry)
  }
}

function refusal(host: string, what: string, entry: string): Error {
  const has = what.startsWith('the') ? 'has' : 'is'
  return commonErrors.ADDRESS_DENIED(
    `${host} ${has} ${what} that connectors may not connect to: ${SETTING} of the worker has ${entry}. Name another server, or ask the operator of the worker`,
  )
}
