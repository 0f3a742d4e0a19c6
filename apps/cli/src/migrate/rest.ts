import { parseJson, stringifyJson } from '@tributary/config'

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
export class MigrateError extends Error {
  override readonly name = 'MigrateError'
}

/** Kafka Connect answers within 90 s, or not at all. */
const TIMEOUT_MS = 100_000

/** `url` may hold a user and a password; `headers` go with each request. */
export function restOf(url: string, headers: Readonly<Record<string, string>> = {}): Rest {
  const parsed = URL.parse(url)
  if (parsed === null || !/^https?:$/.test(parsed.protocol))
    throw new MigrateError(`${url} is no URL of a REST API. Write it as http://host:8083`)
  const { username, password } = parsed
  const login = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')
  const sent = { accept: 'application/json', ...(username !== '' && { authorization: `Basic ${login}` }), ...headers }
  const base = `${parsed.origin}${parsed.pathname.replace(/\/$/, '')}`
  return {
    url: base,
    call: async (method, path, body) => {
      let status: number
      let text: string
      try {
        const answer = await fetch(base + path, {
          method,
          headers: { ...sent, ...(body !== undefined && { 'content-type': 'application/json' }) },
          ...(body !== undefined && { body: stringifyJson(body) }),
          signal: AbortSignal.timeout(TIMEOUT_MS),
        })
        status = answer.status
        text = await answer.text()
      } catch (cause) {
        const why = ((cause as Error).cause as Error | undefined)?.message ?? (cause as Error).message
        throw new MigrateError(`${base} does not answer (${why}). Look whether it runs, and whether the URL is right`, {
          cause,
        })
      }
      return { status, body: text === '' ? undefined : parsedBody(text) }
    },
  }
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
