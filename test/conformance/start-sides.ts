import { controlPlane } from '@tributary/control-plane'
import { connectWorker } from '@tributary/connect-runtime'
import { sharedKafka, startKafkaConnect } from '@tributary/harness'
import { startAdminServer } from '@tributary/service'
import { createLogger } from '@tributary/telemetry'
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import { eventually, type Sides } from './both-sides.ts'
import { fileSource } from './file-source.ts'
import { send } from './rest-call.ts'

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
  const host = '127.0.0.1'
  const shutdown = (reason: string, error?: unknown): void => assert.fail(`ended: ${reason} ${String(error)}`)
  const admin = await startAdminServer({ host, port: 0, log, ready: () => true, scrape: () => Promise.resolve('') })
  t.after(() => admin.close())
  const workerRun = await worker.start({
    settings: worker.settings.parse(props),
    log,
    signal: ending.signal,
    admin: admin.app,
    address: `${host}:${admin.port}`,
    shutdown,
  })
  await admin.open()
  const plane = controlPlane('0')
  const planeRun = await plane.start({ settings: plane.settings.parse(props), log, signal: ending.signal, shutdown })
  t.after(async () => {
    await planeRun.stop()
    await workerRun.stop()
    ending.abort()
  })
  const url = `http://${await planeRun.restAddress()}`
  await eventually('our worker has published its plugin', async () => {
    const { body } = await send(url, { method: 'GET', path: '/connector-plugins' })
    assert.equal((body as unknown[]).length, 1)
  })
  return url
}
