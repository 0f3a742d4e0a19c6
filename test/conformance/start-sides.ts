import { controlPlane } from '@tributary/control-plane'
import { connectWorker, type WorkerHost } from '@tributary/connect-runtime'
import { sharedKafka, startKafkaConnect } from '@tributary/harness'
import { startAdminServer } from '@tributary/service'
import { createLogger, type Logger } from '@tributary/telemetry'
import { randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import type { Sides } from './both-sides.ts'
import { fileSource } from './file-source.ts'

/**
 * A live Kafka Connect and our control plane in strict mode with one worker, on the same Kafka, each with the file
 * source; both end with the test.
 */
export async function startSides(t: TestContext): Promise<Sides> {
  const { brokers } = await sharedKafka()
  const connect = await startKafkaConnect({
    brokers,
    properties: {
      'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
      'config.providers': 'file',
      'config.providers.file.class': 'org.apache.kafka.common.config.provider.FileConfigProvider',
    },
  })
  t.after(() => connect.stop())
  return { connect: connect.url, ours: await startOurs(t, brokers) }
}

async function startOurs(t: TestContext, brokers: readonly string[]): Promise<string> {
  const ending = new AbortController()
  const props = {
    'kafka.brokers': brokers.join(','),
    cluster: `conformance-${randomUUID()}`,
    'rest.port': '0',
    'connect.strict': 'true',
  }
  const log = createLogger({ name: 'conformance', level: 'off' })
  const worker = connectWorker({ name: 'file-ingest', version: '0', plugins: [fileSource] })
  const host = await workerHost(t, log)
  const workerRun = await worker.start({
    settings: worker.settings.parse(props),
    log,
    signal: ending.signal,
    ...host,
  })
  await host.open()
  const plane = controlPlane('0')
  const planeRun = await plane.start({ settings: plane.settings.parse(props), log, signal: ending.signal })
  t.after(async () => {
    await planeRun.stop()
    await workerRun.stop()
    ending.abort()
  })
  return `http://${planeRun.restAddress}`
}

/** What `runService` gives a worker: here without a process of its own. */
async function workerHost(
  t: TestContext,
  log: Logger,
): Promise<Pick<WorkerHost, 'address' | 'addRoute'> & { open(): Promise<void> }> {
  const host = '127.0.0.1'
  const admin = await startAdminServer({ host, port: 0, log, ready: () => true, scrape: () => Promise.resolve('') })
  t.after(() => admin.close())
  return {
    address: `${host}:${admin.port}`,
    addRoute: ({ method, path, handle }) =>
      admin.app.route<{ Params: Record<string, string> }>({
        method,
        url: path,
        handler: async (request, reply) => {
          const answer = await handle(request)
          return reply.code(answer.status).send(answer.body)
        },
      }),
    open: () => admin.open(),
  }
}
