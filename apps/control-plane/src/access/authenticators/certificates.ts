import type { FastifyRequest } from 'fastify'
import type { PeerCertificate, TLSSocket } from 'node:tls'
import type { GrantsSource } from '../grants-file.ts'
import type { Authenticator, Identity } from '../identity.ts'
import { LoginError } from '../login.ts'

interface KnownCertificate {
  /** The common name first. */
  readonly names: readonly string[]
  /** ms since the epoch. */
  readonly validTo: number
}

/**
 * The certificate of the client, when TLS has checked it against the authorities for clients. It is found in the grants
 * file by each of its names: `CN=ci`, `DNS:ci.example.org`, `URI:spiffe://example.org/ci`, `email:ci@example.org`.
 */
export class CertificateAuthenticator implements Authenticator {
  readonly #grants: GrantsSource
  readonly #now: () => number
  /** By connection, because a connection keeps its certificate and reading one takes as long as a request. */
  readonly #known = new WeakMap<object, KnownCertificate>()

  /** `now`: ms since the epoch. */
  constructor(grants: GrantsSource, now: () => number = Date.now) {
    this.#grants = grants
    this.#now = now
  }

  async authenticate({ raw: { socket } }: FastifyRequest): Promise<Identity | null> {
    if (!isTls(socket)) return null
    let known = this.#known.get(socket)
    if (known === undefined) this.#known.set(socket, (known = read(socket.getPeerCertificate())))
    const { names, validTo } = known
    if (names.length === 0) return null
    const name = `cert:${names[0]}`
    if (!socket.authorized) {
      throw LoginError.refused(`the client certificate is not accepted: ${String(socket.authorizationError)}`, name)
    }
    // TLS has looked at the time when the connection began.
    if (!(this.#now() < validTo)) throw LoginError.refused('the client certificate has expired', name)
    return { name, grants: (await this.#grants()).of('cert', names) }
  }
}

function isTls(socket: object): socket is TLSSocket {
  return 'getPeerCertificate' in socket
}

function read(certificate: PeerCertificate): KnownCertificate {
  return { names: namesOf(certificate), validTo: Date.parse(certificate.valid_to) }
}

export function namesOf({ subject, subjectaltname }: Partial<PeerCertificate>): string[] {
  const common: unknown = subject?.CN
  const commonNames = (Array.isArray(common) ? common : [common]).filter((name) => typeof name === 'string')
  const alternatives = splitAlternatives(subjectaltname ?? '').filter((name) => /^(DNS|URI|email):./.test(name))
  return [...commonNames.map((name) => `CN=${name}`), ...alternatives]
}

/**
 * Splits Node's text of the alternative names. Node writes a name that contains a comma or a quote as a JSON string
 * (CVE-2021-44532), so that no name can pretend to be two.
 */
function splitAlternatives(text: string): string[] {
  const names: string[] = []
  const pattern = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y
  while (pattern.lastIndex < text.length) {
    const [, kind = '', value = ''] = pattern.exec(text) ?? []
    if (kind === '') return names
    names.push(`${kind}:${value.startsWith('"') ? (JSON.parse(value) as string) : value}`)
  }
  return names
}
