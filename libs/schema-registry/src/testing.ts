import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

export interface Answered {
  readonly status?: number
  /** JSON, or the text itself. */
  readonly body: unknown
}

export interface FakeRegistry {
  readonly url: string
  /** Method and path of each request so far. */
  readonly requests: string[]
  readonly headers: IncomingMessage['headers'][]
}

/** An HTTP server that ends with the test: what no real registry does on request, such as to answer 503. */
export async function fakeRegistry(
  t: TestContext,
  answer: (request: string, body: string) => Answered | Promise<Answered>,
): Promise<FakeRegistry> {
  const requests: string[] = []
  const headers: IncomingMessage['headers'][] = []
  const listener: RequestListener = (request, response) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const what = `${request.method} ${request.url}`
      requests.push(what)
      headers.push(request.headers)
      const { status = 200, body } = await answer(what, Buffer.concat(chunks).toString())
      response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body))
    })()
  }
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, headers }
}
