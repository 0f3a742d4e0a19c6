/** One request of the script that both sides get. */
export interface Call {
  readonly method: string
  readonly path: string
  /** An object is sent as JSON, a text as it is. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface Answer {
  readonly status: number
  readonly contentType: string | null
  readonly location: string | null
  readonly allow: string | null
  /** Parsed where it is JSON, else the text; null when there is none. */
  readonly body: unknown
}

/** Sends `call` to the REST API at `url`. */
export async function send(url: string, call: Call): Promise<Answer> {
  const { method, path, body, headers } = call
  const response = await fetch(url + path, {
    method,
    headers: { accept: '*/*', ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    signal: AbortSignal.timeout(60_000),
  })
  return {
    status: response.status,
    contentType: response.headers.get('content-type'),
    location: response.headers.get('location'),
    allow: response.headers.get('allow'),
    body: parsed(await response.text()),
  }
}

function parsed(text: string): unknown {
  if (text === '') return null
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}
