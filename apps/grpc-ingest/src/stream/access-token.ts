import { ConfigError, type ConnectError } from '@tributary/connect-api'
import { endpointOf, exchange, reasonOf, Refusals, retryAfterMs, type TlsOptions } from '@tributary/push-source'
import { hideSecrets, type Logger, redact } from '@tributary/telemetry'
import type { Metadata } from '../config/metadata.ts'
import { readTokenTls, tokenProxyOf } from '../config/settings.ts'
import type { GrpcConfig } from '../config/spec.ts'
import { grpcErrors } from '../errors.ts'

/** A token endpoint that does not answer within this time is treated as gone. */
const ANSWER_MS = 10_000
const MAX_ANSWER_BYTES = 65_536
const SHOWN_LENGTH = 200
/** A token is renewed this long before its end; one with a short life when a tenth of it remains. */
const MARGIN_MS = 60_000
/** Errors of RFC 6749, sections 4.1.2.1 and 5.2. Other words of an answer may be a secret of a server that no connector should ask. */
const ERRORS: readonly unknown[] = [
  'access_denied',
  'invalid_client',
  'invalid_grant',
  'invalid_request',
  'invalid_scope',
  'server_error',
  'temporarily_unavailable',
  'unauthorized_client',
  'unsupported_grant_type',
]
/** Characters of a bearer token (RFC 6750, section 2.1). */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/

interface Token {
  readonly text: string
  /** When it must be renewed, on the clock of `now`; Infinity if the endpoint gave it no end. */
  readonly freshUntil: number
}

export interface AccessTokenOptions {
  readonly config: GrpcConfig
  /** The token endpoint. */
  readonly url: string
  /** Reads the options of each connection. */
  readonly tls: () => Promise<TlsOptions>
  readonly log?: Logger
  /** ms of a monotonic clock; by default of the process. */
  readonly now?: () => number
  /** Longest wait for the whole answer, in ms. */
  readonly answerMs?: number
  /** May name a proxy; by default of the process. */
  readonly environment?: NodeJS.ProcessEnv
}

/** The access token of a stream, kept until shortly before its end. Nothing that this process tells holds a secret or the token. */
export class AccessToken {
  readonly #options: AccessTokenOptions
  readonly #config: GrpcConfig
  readonly #url: string
  readonly #now: () => number
  readonly #refusals = new Refusals(Infinity)
  #refreshToken: string | null
  #token: Token | null = null
  #endRedaction: () => void

  constructor(options: AccessTokenOptions) {
    const { config, url, now } = options
    this.#options = options
    this.#config = config
    this.#url = url
    this.#now = now ?? (() => performance.now())
    this.#refreshToken = config['grpc.oauth.refresh.token']?.reveal() ?? null
    this.#endRedaction = this.#hide(null)
  }

  /**
   * The metadata with the token, which is fetched when it has to be. Rejects with NotConnectedError, with ConfigError when the
   * endpoint refused the credentials for the third time in a row, or with the reason of the signal.
   */
  async addTo(metadata: Metadata, signal: AbortSignal): Promise<Metadata> {
    if (this.#token === null || this.#now() >= this.#token.freshUntil) this.#token = await this.#fetch(signal)
    return { ...metadata, authorization: `Bearer ${this.#token.text}` }
  }

  /** The server refused the token. */
  forget(): void {
    this.#token = null
  }

  /** Nothing more is told of this stream. */
  close(): void {
    this.#endRedaction()
  }

  #hide(token: string | null): () => void {
    const secrets = [token, this.#refreshToken, this.#config['grpc.oauth.client.secret']?.reveal()]
    return hideSecrets(secrets.filter((secret) => typeof secret === 'string'))
  }

  async #fetch(signal: AbortSignal): Promise<Token> {
    const asked = this.#now()
    const { answerMs = ANSWER_MS } = this.#options
    const timeout = new AbortController()
    const timer = setTimeout(() => timeout.abort(new Error(`no answer within ${answerMs} ms`)), answerMs)
    let answer: Answer
    try {
      answer = await this.#ask(AbortSignal.any([signal, timeout.signal]))
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof ConfigError) throw error
      throw this.#unanswered(reasonOf(error), { cause: error })
    } finally {
      clearTimeout(timer)
    }
    const { access_token: text, expires_in: seconds, token_type: kind, refresh_token: next } = answer.fields
    if (answer.status !== 200) throw this.#refused(answer)
    if (typeof text !== 'string' || !TOKEN.test(text)) throw this.#unanswered('the answer has no access_token')
    if (typeof kind === 'string' && kind.toLowerCase() !== 'bearer') {
      throw this.#unanswered('the token is of another type than Bearer')
    }
    this.#refusals.accepted()
    if (typeof next === 'string' && this.#refreshToken !== null) this.#refreshToken = next
    this.#endRedaction()
    this.#endRedaction = this.#hide(text)
    const lifeMs = Number(seconds) * 1000
    return { text, freshUntil: lifeMs > 0 ? asked + lifeMs - Math.min(MARGIN_MS, lifeMs / 10) : Infinity }
  }

  /** The request of RFC 6749: section 4.4.2 for client credentials, section 6 for a refresh token. */
  async #ask(signal: AbortSignal): Promise<Answer> {
    const config = this.#config
    const id = config['grpc.oauth.client.id'] ?? ''
    const secret = config['grpc.oauth.client.secret']?.reveal() ?? null
    const [scope, audience] = [config['grpc.oauth.scope'], config['grpc.oauth.audience']]
    const basic = config['grpc.oauth.client.auth'] === 'basic' && secret !== null
    const form = new URLSearchParams({
      ...(this.#refreshToken === null
        ? { grant_type: 'client_credentials' }
        : { grant_type: 'refresh_token', refresh_token: this.#refreshToken }),
      ...(scope === null ? {} : { scope }),
      ...(audience === null ? {} : { audience }),
      ...(basic ? {} : { client_id: id, ...(secret === null ? {} : { client_secret: secret }) }),
    })
    const { tls, environment } = this.#options
    const request = {
      url: this.#url,
      method: 'POST',
      headers: {
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
        ...(basic ? { authorization: basicAuth(id, secret) } : {}),
      },
      body: form.toString(),
      maxBytes: MAX_ANSWER_BYTES,
    }
    const proxy = tokenProxyOf(config, endpointOf(new URL(this.#url)), environment)
    // A redirect is not followed, as it would carry the secret to another server.
    const { status, headers, text } = await exchange(request, { tls: await tls(), proxy }, signal)
    return { status, fields: fieldsOf(text), retryAfterMs: retryAfterMs(headers['retry-after'], Date.now()) }
  }

  #refused({ status, fields, retryAfterMs: wait }: Answer): ConnectError {
    const { error, error_description: description } = fields
    if (typeof description === 'string') {
      this.#options.log?.debug('grpc_oauth_refused', { status, description: this.#shown(description) })
    }
    const reason = `HTTP ${status}${ERRORS.includes(error) ? `, ${String(error)}` : ''}`
    // RFC 6749, section 5.2. Other statuses are outages.
    const denied = (status === 400 || status === 401) && typeof fields['error'] === 'string'
    if (!denied || !this.#refusals.refused()) return this.#unanswered(reason, { retryAfterMs: wait })
    return grpcErrors.GRPC_OAUTH_REFUSED(
      `The token endpoint ${this.#host} refused the credentials ${this.#refusals.inARow} times in a row: ${reason}`,
      { field: 'grpc.oauth.client.id' },
    )
  }

  #unanswered(reason: string, more: { cause?: unknown; retryAfterMs?: number | undefined } = {}): ConnectError {
    return grpcErrors.GRPC_OAUTH(`No access token from ${this.#host}: ${reason}`, more)
  }

  get #host(): string {
    return new URL(this.#url).host
  }

  /** Words of the endpoint, which may repeat what it was sent. */
  #shown(words: string): string {
    return redact(words)
      .replaceAll(/[^\x20-\x7e]+/g, ' ')
      .slice(0, SHOWN_LENGTH)
  }
}

interface Answer {
  readonly status: number
  readonly fields: Readonly<Record<string, unknown>>
  readonly retryAfterMs: number | undefined
}

/** RFC 6749, section 2.3.1: both are form-encoded first. */
function basicAuth(id: string, secret: string): string {
  const encoded = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1)
  return `Basic ${Buffer.from(`${encoded(id)}:${encoded(secret)}`).toString('base64')}`
}

/** The members of a JSON object; {} for anything else, such as the page of a proxy. */
function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    // The status tells what happened.
    return {}
  }
}

/** null: the calls carry no token. `tls` reads the files for the token endpoint. */
export function accessTokenOf(config: GrpcConfig, tls = () => readTokenTls(config), log?: Logger): AccessToken | null {
  const url = config['grpc.oauth.token.url']
  return url === null ? null : new AccessToken({ config, url, tls, ...(log && { log }) })
}
