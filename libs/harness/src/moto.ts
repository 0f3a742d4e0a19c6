import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from './free-port.ts'
import { startHttpServer } from './http-server.ts'
import { pythonPackages } from './python.ts'
import type { AwsServer } from './sqs-call.ts'
import { temporaryFolder } from './watchdog.ts'

const requirements = fileURLToPath(new URL('../python/moto.txt', import.meta.url))

/**
 * Starts moto, a server of SQS, S3 and STS in memory at one address. It takes any credentials and every region.
 * S3 wants path-style addresses. Throws HarnessError, one sentence, without Python 3 or, at the first start, pip.
 */
export async function startMoto(): Promise<AwsServer> {
  const moto = await pythonPackages(requirements)
  const port = await freePort()
  const server = await startHttpServer({
    ...moto.command('moto_server', ['-H', '127.0.0.1', '-p', String(port)]),
    what: 'moto',
    logFile: join(temporaryFolder('moto'), 'moto.log'),
    readyUrl: `http://127.0.0.1:${port}/moto-api/`,
  })
  return { ...server, region: 'us-east-1', accountId: '123456789012' }
}
