import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { isLoopback } from '../bind.ts'

export interface RequestSourceOptions {
  /** The address on which the server listens. */
  readonly bound: string
  /** The host under which others reach the server; null: `bound`. */
  readonly advertised: string | null
  /** More names, separated by commas. `*` stands for any characters. */
  readonly allowed: string
  /** The setting that contains `allowed`, for error texts. */
  readonly setting: string
  /** Whether pages of this other origin may send requests that change something. Absent: no other origin may. */
  readonly allowsOrigin?: (origin: string, headers: IncomingHttpHeaders) => boolean
}

export interface SourceRefusal {
  readonly status: 403 | 421
  readonly message: string
}

type Headers = Readonly<IncomingHttpHeaders>

/** The methods that change nothing (RFC 9110, 9.2.1). */
const SAFE = ['GET', 'HEAD', 'OPTIONS', 'TRACE']
const SHOWN_LENGTH = 100

/**
 * Refuses requests that a page of another site makes a browser send.
 *
 * A page may point a name of its own at this server (DNS rebinding), and the browser then takes both for one site. So a
 * name in `Host` must be one of the server's. An address, or `localhost`, is no such name. A server that listens beyond
 * loopback also answers to names without a dot, such as those of containers, since nobody can register them.
 *
 * A page may also send a request without reading the answer (CSRF). So a request that changes something is refused if the
 * browser says that another site sent it: in `Sec-Fetch-Site`, or in an `Origin` that is neither this server's nor
 * allowed. Clients other than browsers send neither header.
 */
export class RequestSource {
  readonly #options: RequestSourceOptions
  readonly #names: ReadonlySet<string>
  readonly #patterns: readonly string[][]
  readonly #isOpen: boolean

  constructor(options: RequestSourceOptions) {
    const { bound, advertised, allowed } = options
    this.#options = options
    this.#isOpen = !isLoopback(bound)
    const names = ['localhost', bound, advertised ?? '', ...(this.#isOpen ? [hostname()] : [])]
    this.#names = new Set(names.map((name) => name.toLowerCase()))
    this.#patterns = allowed
      .split(',')
      .map((name) => name.trim().toLowerCase())
      .filter((name) => name !== '')
      .map((name) => name.split('*'))
  }

  /** null: the request may be answered. */
  refusal(method: string, headers: Headers): SourceRefusal | null {
    // Every browser sends the header. HTTP/1.0 does not have it, and Node refuses HTTP/1.1 without it.
    const host = text(headers['host'])
    if (host !== null && !this.#isOwnName(host)) {
      const { setting } = this.#options
      const message = `This server is not called ${shown(host)}. If this is one of its names, add it to ${setting}.`
      return { status: 421, message }
    }
    if (SAFE.includes(method) || this.#isFromOwnPage(headers)) return null
    const from = shown(text(headers['origin']) ?? 'unknown')
    const message = `A page of another site (origin ${from}) may not change anything here. If it should, add its origin to access.control.allow.origin.`
    return { status: 403, message }
  }

  #isOwnName(host: string): boolean {
    const name = nameIn(host)
    if (name === null) return false
    if (isIP(name) !== 0 || this.#names.has(name) || name.endsWith('.localhost')) return true
    return (this.#isOpen && !name.includes('.')) || this.#patterns.some((pattern) => matches(pattern, name))
  }

  #isFromOwnPage(headers: Headers): boolean {
    const site = text(headers['sec-fetch-site'])
    if (site === 'same-origin' || site === 'none') return true
    const origin = text(headers['origin'])
    if (origin === null) return site === null
    if (this.#options.allowsOrigin?.(origin, headers)) return true
    // No page of another site can send X-Forwarded-Host, as only a preflight request could allow it. Proxies send it.
    const own = [text(headers['host']), ...(text(headers['x-forwarded-host'])?.split(',') ?? [])]
    const host = URL.parse(origin)?.host
    return host !== undefined && host !== '' && own.some((each) => each?.trim().toLowerCase() === host)
  }
}

/** The name or address in `host:port`, in lower case, without brackets and a final dot; null for anything else. */
function nameIn(host: string): string | null {
  const [, bracketed, plain] = /^(?:\[([\da-f:.]+)\]|([^\s:/?#@[\]\\]+))(?::\d{0,5})?$/i.exec(host) ?? []
  return (bracketed ?? plain?.replace(/\.$/, ''))?.toLowerCase() ?? null
}

/** Whether `text` is the parts with any characters between them. Linear: each part is taken where it first occurs. */
function matches([first = '', ...rest]: readonly string[], name: string): boolean {
  const last = rest.pop()
  if (last === undefined) return name === first
  if (!name.startsWith(first)) return false
  let at = first.length
  for (const part of rest) {
    const found = name.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return name.length - last.length >= at && name.endsWith(last)
}

function text(header: string | string[] | undefined): string | null {
  return typeof header === 'string' ? header : null
}

function shown(value: string): string {
  return JSON.stringify(value.length > SHOWN_LENGTH ? `${value.slice(0, SHOWN_LENGTH)}…` : value)
}
