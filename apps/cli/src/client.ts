import { parseJson, stringifyJson } from '@tributary/config'
import { type IncomingMessage, request as httpRequest } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { CliError, EXIT } from './cli-error.ts'
import { httpError } from './http-error.ts'

/** A server, and who asks. */
export interface Target {
  readonly server: URL
  /** The header of that name; null: none. */
  readonly authorization: string | null
  /** PEM texts. */
  readonly ca: string | null
  readonly cert: string | null
  readonly key: string | null
  /** ms until an answer must have begun. */
  readonly timeoutMs: number
}

export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | null | undefined>>

export interface Sent {
  readonly query?: Query
  readonly body?: unknown
  readonly timeoutMs?: number
  /** The body of an error is an answer like another: a health that is not good. */
  readonly acceptAll?: boolean
}

/** A GET is sent again when nobody listens yet, or the answer is 503, after these waits in ms: a restart of a service is no error. */
const RETRY_MS = [150, 300, 500]
const RETRIED = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE'])
const MAX_BODY = 256 * 1024 * 1024

/** One server of Kafka Connect's REST API. Every method throws CliError. */
export class Client {
  readonly target: Target

  constructor(target: Target) {
    this.target = target
  }

  get(path: string, sent: Sent = {}): Promise<unknown> {
    return this.send('GET', path, sent)
  }

  /** Resolves with the answer's body as JSON; null: it has none. */
  async send(method: string, path: string, sent: Sent = {}): Promise<unknown> {
    const answer = await this.#retried(method, path, sent)
    const body = await this.#read(answer)
    const status = answer.statusCode ?? 0
    const value = jsonOf(body)
    if (status >= 200 && status < 300) {
      if (body !== '' && value === undefined) throw this.#noConnect(`it answered ${path} with text that is no JSON`)
      return value ?? null
    }
    if (sent.acceptAll && status >= 500 && typeof value === 'object' && value !== null && 'status' in value)
      return value
    if (status >= 300 && status < 400) {
      throw this.#noConnect(`it sends requests on to ${shown(answer.headers.location ?? 'an unnamed address')}`)
    }
    throw httpError({
      ...{ method, path, status, body: value ?? body, server: this.address },
      ...{ retryAfter: answer.headers['retry-after'] ?? null, known: this.target.authorization !== null },
    })
  }

  /** The parts of an answer that goes on. Rejects like `send`, and with the signal's reason. */
  async stream(path: string, query: Query, signal: AbortSignal): Promise<IncomingMessage> {
    const answer = await this.#open('GET', path, { query }, signal)
    const status = answer.statusCode ?? 0
    if (status === 200) return answer
    const body = await this.#read(answer)
    const known = this.target.authorization !== null
    throw httpError({ method: 'GET', path, status, body: jsonOf(body) ?? body, server: this.address, retryAfter: null, known }) // prettier-ignore
  }

  /** As people write it. */
  get address(): string {
    return this.target.server.href.replace(/\/$/, '')
  }

  async #retried(method: string, path: string, sent: Sent): Promise<IncomingMessage> {
    for (let tried = 0; ; tried++) {
      const wait = method === 'GET' ? RETRY_MS[tried] : undefined
      try {
        const answer = await this.#open(method, path, sent)
        if (answer.statusCode !== 503 || wait === undefined) return answer
        answer.resume()
      } catch (error) {
        if (wait === undefined || !RETRIED.has(codeOf((error as Error).cause))) throw error
      }
      await sleep(wait)
    }
  }

  #open(method: string, path: string, { query = {}, body, timeoutMs }: Sent, signal?: AbortSignal) {
    const { server, authorization, ca, cert, key, timeoutMs: usual } = this.target
    const payload = body === undefined ? null : Buffer.from(stringifyJson(body))
    const limit = timeoutMs ?? usual
    const options: RequestOptions = {
      method,
      protocol: server.protocol,
      hostname: server.hostname.replace(/^\[|\]$/g, ''),
      port: server.port,
      path: server.pathname.replace(/\/$/, '') + path + queryText(query),
      headers: {
        accept: 'application/json, text/event-stream',
        'user-agent': 'tributary-cli',
        ...(authorization !== null && { authorization }),
        ...(payload !== null && { 'content-type': 'application/json', 'content-length': payload.length }),
      },
      ...(ca !== null && { ca }),
      ...(cert !== null && { cert }),
      ...(key !== null && { key }),
      ...(signal !== undefined && { signal }),
    }
    return new Promise<IncomingMessage>((resolve, reject) => {
      const request = (server.protocol === 'https:' ? httpsRequest : httpRequest)(options)
      const timer = setTimeout(() => {
        request.destroy(Object.assign(new Error(`no answer within ${limit / 1000} s`), { code: 'NO_ANSWER' }))
      }, limit)
      request.once('close', () => clearTimeout(timer))
      request.once('response', (answer) => {
        clearTimeout(timer)
        resolve(answer)
      })
      request.once('error', (error) => reject(signal?.aborted ? (signal.reason as Error) : this.#unreachable(error)))
      request.end(payload ?? undefined)
    })
  }

  async #read(answer: IncomingMessage): Promise<string> {
    const { timeoutMs } = this.target
    const timer = setTimeout(() => answer.destroy(new Error(`the answer did not end within ${timeoutMs / 1000} s`)), timeoutMs) // prettier-ignore
    let size = 0
    answer.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > MAX_BODY) answer.destroy(new Error('the answer is larger than 256 MiB'))
    })
    try {
      return await text(answer)
    } catch (error) {
      throw this.#unreachable(error as Error)
    } finally {
      clearTimeout(timer)
    }
  }

  #unreachable(error: Error): CliError {
    const code = codeOf(error)
    const why = code === 'ECONNREFUSED' ? 'nobody listens there (connection refused)' : shown(error.message || code)
    const tls = /CERT|SSL|TLS|SIGNED|EPROTO|ALTNAME/.test(code)
    const advice = tls
      ? 'Name the authority that signed its certificate by --ca FILE or TRIBUTARY_CA, and a certificate of yours by --cert and --key if it asks for one.'
      : 'Start Tributary there (`npm start`), or name another address: --server URL, TRIBUTARY_SERVER, or `tributary login --server URL`.'
    return new CliError(EXIT.unreachable, `${this.address} cannot be reached: ${why}.`, advice, error)
  }

  #noConnect(why: string): CliError {
    return new CliError(
      EXIT.failed,
      `${this.address} is no REST API of Kafka Connect: ${why}.`,
      'Name its address by --server URL or TRIBUTARY_SERVER.',
    )
  }
}

function queryText(query: Query): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const each of [value ?? []].flat()) params.append(name, String(each))
  }
  return params.size === 0 ? '' : `?${params.toString()}`
}

function jsonOf(body: string): unknown {
  try {
    return body === '' ? null : parseJson(body)
  } catch {
    return undefined
  }
}

function codeOf(error: unknown): string {
  return (error as { code?: string } | undefined)?.code ?? ''
}

/** Text of others, without what a terminal would obey. */
function shown(words: string): string {
  return words.replaceAll(/\p{Cc}+/gu, ' ').slice(0, 300)
}

/** A path whose parts are encoded: at`/connectors/${name}`. */
export function at(texts: TemplateStringsArray, ...parts: readonly (string | number)[]): string {
  return texts.map((part, i) => part + (i < parts.length ? encodeURIComponent(String(parts[i])) : '')).join('')
}
