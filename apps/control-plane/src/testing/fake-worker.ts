import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

export interface Asked {
  /** Method and path, such as `PUT /internal/…`. */
  readonly request: string
  /** The header `x-tributary-token`. */
  readonly token: unknown
  readonly body: string
}

export interface FakeWorker {
  readonly address: string
  readonly asked: Asked[]
  /** Answers as this function does from now on. */
  answers(answer: (path: string, body: string) => unknown): void
}

/**
 * Starts a server with a worker's internal routes. `first` gives the answer for a path; null means 404. The server
 * ends with the test.
 */
export async function fakeWorker(t: TestContext, first: (path: string) => unknown): Promise<FakeWorker> {
  const asked: Asked[] = []
  let answer: (path: string, body: string) => unknown = first
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      asked.push({ request: `${request.method} ${request.url}`, token: request.headers['x-tributary-token'], body })
      const value = answer(request.url ?? '', body)
      response.statusCode = value === null ? 404 : 200
      response.end(JSON.stringify(value))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked, answers: (next) => (answer = next) }
}

async function text(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  return body
}
