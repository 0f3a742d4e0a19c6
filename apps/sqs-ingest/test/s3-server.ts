import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { S3Client } from '@aws-sdk/client-s3'

export interface StoredObject {
  readonly body: Buffer | string
  /** Answers with an error of S3: its code and status. */
  readonly error?: readonly [code: string, status: number]
  /** `cut`: half of the body, then the connection ends. `stall`: half of the body, then nothing. `endless`: no length, no end. */
  readonly fault?: 'cut' | 'stall' | 'endless'
}

/** A server with GetObject (path style), for faults that real servers do not have on demand. The SDK in front of it is unchanged. */
export class S3Server {
  /** By `bucket/key`, with `?versionId=…` behind it for a version. */
  readonly objects = new Map<string, StoredObject>()
  readonly requests: string[] = []
  /** Bytes of endless objects that went to the socket. */
  endlessBytes = 0
  readonly #server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://s3')
    const version = url.searchParams.get('versionId')
    const name = `${decodeURIComponent(url.pathname).slice(1)}${version === null ? '' : `?versionId=${version}`}`
    this.requests.push(name)
    this.#answer(response, this.objects.get(name) ?? { body: '', error: ['NoSuchKey', 404] })
  })

  async start(): Promise<S3Client> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return new S3Client({
      region: 'us-east-1',
      endpoint: `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`,
      forcePathStyle: true,
      maxAttempts: 1,
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    })
  }

  /** Connections that are open. */
  connections(): Promise<number> {
    return new Promise((resolve, reject) =>
      this.#server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    )
  }

  stop(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  #answer(response: ServerResponse, { body, error, fault }: StoredObject): void {
    const data = Buffer.from(body)
    if (error !== undefined) {
      response.writeHead(error[1], { 'content-type': 'application/xml' })
      response.end(
        `<?xml version="1.0"?><Error><Code>${error[0]}</Code><Message>${error[0]} of the test</Message></Error>`,
      )
      return
    }
    if (fault === 'endless') {
      response.writeHead(200)
      const more = (): void => {
        for (let room = true; room && !response.destroyed; this.endlessBytes += 65_536) {
          room = response.write(Buffer.alloc(65_536))
        }
      }
      response.on('drain', more)
      more()
      return
    }
    response.writeHead(200, { 'content-length': data.length })
    if (fault === undefined) response.end(data)
    else response.write(data.subarray(0, data.length / 2), () => fault === 'cut' && response.destroy())
  }
}
