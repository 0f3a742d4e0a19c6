import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { startHttpServer } from './http-server.ts'
import { SHORT_LIVED } from './kafka-runtime.ts'
import { classPath } from './maven.ts'
import { type AwsServer, sqsCall } from './sqs-call.ts'
import { temporaryFolder } from './watchdog.ts'

export interface ElasticMqOptions {
  /** Default: a free one. */
  readonly port?: number
  /** Queues that are there from the start: name → attributes of CreateQueue. A FIFO queue's name ends with `.fifo`. */
  readonly queues?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Default: a file in a temporary folder. */
  readonly logFile?: string
  /** Lets the JVM optimise, which pays after some ten seconds of load. Default: false. */
  readonly underLoad?: boolean
  /** Called before something is fetched that this machine does not have, with its name. */
  readonly onFetch?: (what: string) => void
}

/**
 * Starts ElasticMQ, an SQS server in memory, with the limits of AWS (`sqs-limits = strict`). It takes any credentials.
 * Throws HarnessError, one sentence, without Java 17 or, at the first start, Maven.
 */
export async function startElasticMq(options: ElasticMqOptions = {}): Promise<AwsServer> {
  const path = await classPath('elasticmq', 'ElasticMQ', '', () => options.onFetch?.('the jars of ElasticMQ'))
  const folder = temporaryFolder('elasticmq')
  const port = options.port ?? (await freePort())
  const [region, accountId] = ['us-east-1', '000000000000']
  const settings = {
    'node-address': { protocol: 'http', host: '127.0.0.1', port, 'context-path': '' },
    'rest-sqs': { enabled: true, 'bind-port': port, 'bind-hostname': '127.0.0.1', 'sqs-limits': 'strict' },
    'rest-stats': { enabled: false },
    'generate-node-address': false,
    aws: { region, accountId },
  }
  const file = join(folder, 'elasticmq.conf')
  // JSON is HOCON, save for the line that brings ElasticMQ's own defaults.
  const lines = Object.entries(settings).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`)
  await writeFile(file, `include classpath("application.conf")\n${lines.join('')}`)
  const server = await startHttpServer({
    what: 'ElasticMQ',
    command: 'java',
    args: [
      ...(options.underLoad === true ? [] : SHORT_LIVED),
      `-Xmx${options.underLoad === true ? 512 : 160}m`,
      `-Dconfig.file=${file}`,
      'org.elasticmq.server.Main',
    ],
    // The environment variable replaces `-cp`, which would make lists of processes unreadable.
    env: { CLASSPATH: path },
    logFile: options.logFile ?? join(folder, 'elasticmq.log'),
    readyUrl: `http://127.0.0.1:${port}/?Action=ListQueues&Version=2012-11-05`,
  })
  for (const [name, attributes] of Object.entries(options.queues ?? {})) {
    await sqsCall(server.url, 'CreateQueue', { QueueName: name, Attributes: attributes })
  }
  return { ...server, region, accountId }
}
