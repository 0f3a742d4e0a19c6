import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'

/** One request of the script, which both sides get. */
export interface Call {
  readonly method: string
  /** Sent unchanged: nothing is encoded, and no dots are resolved. */
  readonly path: string
  /** An object is sent as JSON, a text unchanged. */
  readonly body?: unknown
  /** A null removes a header that is sent by default: `accept`, and with a body `content-type`. */
  readonly headers?: Readonly<Record<string, string | null>>
}

export interface Answer {
  readonly status: number
  readonly contentType: string | null
  readonly location: string | null
  readonly allow: string | null
  /** Parsed if it is JSON, otherwise the text; null when there is no body. */
  readonly body: unknown
}

/** Sends `call` to the REST API at `url`. The user and password of the URL are sent as Basic credentials. */
export async function send(url: string, call: Call): Promise<Answer> {
  const { method, path, body, headers } = call
  const { hostname, port, username, password } = new URL(url)
  const payload = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
  const sent = {
    accept: '*/*',
    ...(username === '' ? {} : { authorization: `Basic ${btoa(`${username}:${password}`)}` }),
    ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
    ...headers,
  }
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request({
      hostname,
      port,
      method,
      path,
      headers: {
        ...Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== null)),
        ...(payload === undefined ? {} : { 'content-length': Buffer.byteLength(payload) }),
      },
      signal: AbortSignal.timeout(60_000),
    })
      .once('response', resolve)
      .once('error', reject)
      .end(payload)
  })
  return {
    status: response.statusCode!,
    contentType: response.headers['content-type'] ?? null,
    location: response.headers.location ?? null,
    allow: response.headers.allow ?? null,
    body: parsed(await text(response)),
  }
}

function parsed(text: string): unknown {
  if (text === '') return null
  try {
    return JSON.parse(text, exactInteger) as unknown
  } catch {
    return text
  }
}

/** The text of an integer beyond 2^53, which JSON.parse would round. */
function exactInteger(_key: string, value: unknown, context?: { source?: string }): unknown {
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? context?.source : value
}
