import { controlPlane } from '@tributary/control-plane'
import type { SourcePlugin } from '@tributary/connect-api'
import { connectWorker } from '@tributary/connect-runtime'
import { InternalTokens, startAdminServer, type Tls } from '@tributary/service'
import { createLogger } from '@tributary/telemetry'
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import { fileSource } from './file-source.ts'
import { send } from './rest-call.ts'
import { until } from './until.ts'
import { createStores, type PluginEntry } from '@tributary/connect-storage'

/** Settings by key. Parts with the same cluster name form one installation. */
export type Props = Readonly<Record<string, string>>

export interface Running {
  stop(): Promise<void>
}

const log = createLogger({ name: 'rig', stream: { write: () => true } })

export function clusterProps(brokers: readonly string[], more: Props = {}): Props {
  return { 'kafka.brokers': brokers.join(','), cluster: `rig-${randomUUID()}`, ...more }
}

/** A configuration may refer to any file. */
const FILES: Props = { 'config.providers': 'file', 'config.providers.file.param.allowed.paths': '/' }

/** A worker in this process, with the file source unless `plugins` are given. It ends with the test. */
export async function startWorker(
  t: TestContext,
  props: Props,
  tls: Tls | null = null,
  plugins: readonly SourcePlugin[] = [fileSource],
): Promise<Running & { readonly address: string }> {
  const host = '127.0.0.1'
  const key = props['internal.key']
  const tokens = key === undefined ? null : InternalTokens.from({ reveal: () => key })
  const admin = await startAdminServer({ host, port: 0, log, tokens, tls, ready: () => true })
  const { settings, start } = connectWorker({ name: 'file-ingest', version: '0', plugins })
  const { signal, end } = lifetime()
  const address = `${host}:${admin.port}`
  const worker = await start({
    settings: settings.parse({ ...FILES, ...props }),
    log,
    signal,
    admin: admin.app,
    tls,
    address,
    shutdown,
  })
  const running = once(t, async () => {
    await worker.stop()
    end()
    await admin.close()
  })
  await admin.open()
  await until('the worker is ready', () => worker.ready() === true)
  return { ...running, address }
}

/** A control plane in this process on a free port. It ends with the test. */
export async function startPlane(
  t: TestContext,
  props: Props,
  tls: Tls | null = null,
): Promise<Running & { readonly url: string }> {
  const { settings, start } = controlPlane('0')
  const { signal, end } = lifetime()
  const plane = await start({ settings: settings.parse({ 'rest.port': '0', ...props }), log, signal, tls, shutdown })
  const running = once(t, async () => {
    await plane.stop()
    end()
  })
  return { ...running, url: `${tls?.serves ? 'https' : 'http'}://${await plane.restAddress()}` }
}

/** Waits until the plugin of a worker is listed. Before that no connector can be created. */
export async function pluginListed(url: string): Promise<void> {
  await until('the plugin is listed', async () => {
    const { body } = await send(url, { method: 'GET', path: '/connector-plugins' })
    return (body as unknown[]).length > 0
  })
}

function lifetime(): { signal: AbortSignal; end(): void } {
  const controller = new AbortController()
  return { signal: controller.signal, end: () => controller.abort() }
}

/** Runs `stop` once: when the test calls the returned function, or at the end of the test. */
function once(t: TestContext, stop: () => Promise<void>): Running {
  let stopped: Promise<void> | null = null
  const running = { stop: () => (stopped ??= stop()) }
  t.after(() => running.stop())
  return running
}

function shutdown(reason: string, error?: unknown): void {
  assert.fail(`ended by itself: ${reason} ${String(error)}`)
}

/** Kafka's file source as a worker publishes it. */
const FILE_PLUGIN: PluginEntry = {
  class: 'org.apache.kafka.connect.file.FileStreamSourceConnector',
  aliases: [],
  type: 'source',
  version: '3.9.1',
  service: 'file-ingest',
  spec: {
    keys: {
      file: { type: 'string', default: null, importance: 'high', doc: 'Source filename' },
      topic: { type: 'string', importance: 'high', doc: 'The topic to publish data to' },
    },
  },
}

/** Publishes the file source in a cluster without a worker: its spec checks configurations, and no connector runs. */
export async function publishFilePlugin(t: TestContext, brokers: readonly string[], cluster: string): Promise<void> {
  const log = createLogger({ name: 'test', stream: { write: () => true } })
  const { plugins } = createStores({ connection: { brokers, clientId: cluster }, log, cluster })
  await plugins.start(t.signal)
  await plugins.publish(FILE_PLUGIN)
  await plugins.stop()
}
