import { once } from 'node:events'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { pipeline, type Transform } from 'node:stream'
import * as zlib from 'node:zlib'
import { dial, type DialOptions, endpointOf } from './dial.ts'

// As in libs/service/src/admin-server.ts: an import would load undici.
const http = process.getBuiltinModule('node:http')

export interface ExchangeRequest {
  /** http:// or https://, without user. */
  readonly url: string
  readonly method: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** A larger body of the response is refused. */
  readonly maxBytes: number
}

export interface ExchangeResponse {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** The body of a response is larger than `maxBytes`. */
export class AnswerTooLarge extends Error {
  override readonly name = 'AnswerTooLarge'
}

/**
 * One request and its whole response over HTTP/1.1, on a connection of its own, through the proxy if there is one. Redirects are not
 * followed. Resolves whatever the status is. Rejects with the cause, such as AnswerTooLarge, or with the reason of the signal.
 */
export async function exchange(
  { url, method, headers, body, maxBytes }: ExchangeRequest,
  options: Omit<DialOptions, 'alpn'>,
  signal: AbortSignal,
): Promise<ExchangeResponse> {
  const to = new URL(url)
  const socket = await dial(endpointOf(to), { ...options, alpn: 'http/1.1' }, signal)
  try {
    const request = http.request({
      method,
      path: to.pathname + to.search,
      headers: { host: to.host, 'accept-encoding': 'identity', ...lengthOf(method, body), ...headers },
      createConnection: () => socket,
      signal,
    })
    request.end(body)
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    // The response tells the same by its end.
    request.on('error', () => {})
    return { status: response.statusCode ?? 0, headers: response.headers, text: await textOf(response, maxBytes) }
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  } finally {
    socket.destroy()
  }
}

/** RFC 9110, section 8.6: a request without content in a method for which content has no meaning has no length. */
function lengthOf(method: string, body: string): Readonly<Record<string, number>> {
  return method === 'GET' ? {} : { 'content-length': Buffer.byteLength(body) }
}

/** What a server may send although it was asked for `identity`: files that it keeps compressed. */
const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: () => zlib.createGunzip(),
  'x-gzip': () => zlib.createGunzip(),
  deflate: () => zlib.createInflate(),
  br: () => zlib.createBrotliDecompress(),
}

async function textOf(response: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  const decoder = DECODERS[response.headers['content-encoding']?.toLowerCase() ?? '']?.()
  // The failure of either ends the decoder, and so the loop.
  if (decoder !== undefined) pipeline(response, decoder, () => {})
  for await (const chunk of decoder ?? response) {
    bytes += (chunk as Buffer).length
    if (bytes > maxBytes) throw new AnswerTooLarge(`the answer is larger than ${maxBytes} bytes`)
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString()
}
