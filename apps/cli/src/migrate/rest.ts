import { request as httpRequest } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import { text } from 'node:stream/consumers'
import { parseJson, stringifyJson } from '@tributary/config'
import { CliError, EXIT } from '../cli-error.ts'

export interface RestAnswer {
  readonly status: number
  /** Parsed if it is JSON, with exact integers; undefined for an empty one. */
  readonly body: unknown
}

/** A REST API of Kafka Connect, old or ours. */
export interface Rest {
  readonly url: string
  /** Rejects when no answer comes. */
  call(method: string, path: string, body?: unknown): Promise<RestAnswer>
}

/** What went wrong, and what to do: a sentence for the one who runs the command. */
export class MigrateError extends CliError {
  constructor(message: string, cause?: unknown) {
    super(EXIT.failed, message, null, cause)
  }
}

/** Kafka Connect answers within 90 s, or not at all. */
const TIMEOUT_MS = 100_000

/** Who asks, and whom to trust. */
export interface RestLogin {
  readonly authorization?: string | null
  /** PEM texts. */
  readonly ca?: string | null
  readonly cert?: string | null
  readonly key?: string | null
}

/** `url` may hold a user and a password. */
export function restOf(url: string, { authorization = null, ...tls }: RestLogin = {}): Rest {
  const parsed = URL.parse(url)
  if (parsed === null || !/^https?:$/.test(parsed.protocol))
    throw new MigrateError(`${url} is no URL of a REST API. Write it as http://host:8083`)
  const { username, password, protocol, hostname, port } = parsed
  const login = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')
  const credentials = username === '' ? authorization : `Basic ${login}`
  const prefix = parsed.pathname.replace(/\/$/, '')
  const pem = Object.fromEntries(Object.entries(tls).filter(([, text]) => typeof text === 'string'))
  const base = parsed.origin + prefix
  return {
    url: base,
    call: async (method, path, body) => {
      const payload = body === undefined ? null : Buffer.from(stringifyJson(body))
      const options: RequestOptions = {
        ...{ method, protocol, hostname: hostname.replace(/^\[|\]$/g, ''), port, path: prefix + path, ...pem },
        headers: {
          accept: 'application/json',
          ...(credentials !== null && { authorization: credentials }),
          ...(payload !== null && { 'content-type': 'application/json', 'content-length': payload.length }),
        },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      }
      try {
        return await exchange(options, payload)
      } catch (cause) {
        const { code, message } = cause as NodeJS.ErrnoException
        const why = message || code
        throw new MigrateError(
          `${base} does not answer (${why}). Look whether it runs, and whether the URL is right`,
          cause,
        )
      }
    },
  }
}

function exchange(options: RequestOptions, payload: Buffer | null): Promise<RestAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<RestAnswer>()
  const outgoing = (options.protocol === 'https:' ? httpsRequest : httpRequest)(options, (answer) => {
    text(answer).then((sent) => {
      resolve({ status: answer.statusCode ?? 0, body: sent === '' ? undefined : parsedBody(sent) })
    }, reject)
  })
  outgoing.once('error', reject)
  outgoing.end(payload ?? undefined)
  return promise
}

function parsedBody(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    return text
  }
}

/** The message of an answer with an error. */
export function messageOf({ status, body }: RestAnswer): string {
  const { message } = (typeof body === 'object' && body !== null ? body : {}) as { message?: unknown }
  return typeof message === 'string' ? message : `HTTP ${status}`
}

/** Throws MigrateError unless the status is 2xx. `what`: what was to be done. */
export function mustBeDone(what: string, rest: Rest, answer: RestAnswer): unknown {
  if (answer.status >= 200 && answer.status < 300) return answer.body
  throw new MigrateError(`${rest.url} could not ${what}: ${messageOf(answer)}`)
}

export const pathOf = (connector: string, rest = ''): string => `/connectors/${encodeURIComponent(connector)}${rest}`
