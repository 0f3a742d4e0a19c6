/** Why an answer cannot be used; `again`: it may be another one when it is asked for again. */
export class AnswerError extends Error {
  readonly again: boolean

  constructor(message: string, again: boolean, options?: ErrorOptions) {
    super(message, options)
    this.again = again
  }
}

/** RFC 9110: request timeout; RFC 6585: too many requests. */
const RETRIABLE = new Set([408, 425, 429])

/**
 * The body of a 2xx answer as text, of at most `maxBytes` bytes after decompression. No redirect is followed, as headers that
 * hold a secret would go with it. Throws AnswerError, the text of which holds nothing of the URL, or the signal's reason.
 */
export async function httpGet(
  url: string,
  headers: readonly [string, string][],
  maxBytes: number,
  signal: AbortSignal,
): Promise<string> {
  let response: Response
  try {
    response = await fetch(url, { headers: [['Accept', 'application/json'], ...headers], redirect: 'manual', signal })
  } catch (cause) {
    signal.throwIfAborted()
    throw new AnswerError(reasonOf(cause), true, { cause })
  }
  const { ok, status, body } = response
  if (!ok) {
    await body?.cancel()
    throw new AnswerError(`HTTP ${status}`, status >= 500 || RETRIABLE.has(status))
  }
  return body === null ? '' : readText(body, maxBytes, signal)
}

async function readText(body: ReadableStream<Uint8Array>, maxBytes: number, signal: AbortSignal): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const chunk of body) {
      bytes += chunk.length
      if (bytes > maxBytes)
        throw new AnswerError(
          `the answer is larger than the ${maxBytes} bytes that are left of backfill.max.bytes`,
          false,
        )
      chunks.push(chunk)
    }
  } catch (cause) {
    signal.throwIfAborted()
    if (cause instanceof AnswerError) throw cause
    throw new AnswerError(reasonOf(cause), true, { cause })
  }
  return Buffer.concat(chunks).toString()
}

/** fetch says `fetch failed`, and what failed is the cause of that; its text may hold the host, never the path. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  if (!(cause instanceof Error)) return message
  const code = (cause as NodeJS.ErrnoException).code
  return `${message}: ${cause.message || (code ?? cause.name)}`
}
