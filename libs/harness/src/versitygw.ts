import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { builtGo } from './go.ts'
import { type HttpServer, startHttpServer } from './http-server.ts'
import { temporaryFolder } from './watchdog.ts'

/** A server of S3. */
export interface S3Server extends HttpServer {
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/**
 * Starts versitygw, a server of S3 on a folder that checks signatures. It wants path-style addresses. The first start builds
 * it for minutes, so only long tests use it. Throws HarnessError, one sentence, without Go.
 */
export async function startVersityGw(): Promise<S3Server> {
  const module = new URL('../go/versitygw/', import.meta.url)
  const command = await builtGo(module, 'github.com/versity/versitygw/cmd/versitygw')
  const folder = temporaryFolder('versitygw')
  const root = join(folder, 'root')
  await mkdir(root)
  const port = await freePort()
  const [region, accessKeyId, secretAccessKey] = ['us-east-1', 'harness', 'harness-secret']
  const server = await startHttpServer({
    what: 'versitygw',
    command,
    args: ['--port', `127.0.0.1:${port}`, '--health', '/health', '--region', region, 'posix', root],
    env: { ROOT_ACCESS_KEY: accessKeyId, ROOT_SECRET_KEY: secretAccessKey },
    logFile: join(folder, 'versitygw.log'),
    readyUrl: `http://127.0.0.1:${port}/health`,
  })
  return { ...server, region, accessKeyId, secretAccessKey }
}
