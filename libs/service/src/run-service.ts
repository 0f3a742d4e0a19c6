import { defineConfig, fromEnv } from '@tributary/config'
import type { ConfigSpec, Keys, ValuesOf } from '@tributary/config'
import { createLogger, loggerLevels, parseLevel } from '@tributary/telemetry'
import type { Logger } from '@tributary/telemetry'
import type { FastifyInstance } from 'fastify'
import { startAdminServer } from './admin-server.ts'
import { advertisedHost, assertBind, hostPort } from './bind.ts'
import { helpText } from './help.ts'
import { startMetrics } from './metrics.ts'
import { observeProcess } from './process-metrics.ts'
import { ProcessEnd } from './process-end.ts'
import { serviceSettings } from './settings.ts'
import { startTracing } from './tracing.ts'

/** What a service gets from `runService`. */
export interface ServiceHost<K extends Keys = Keys> {
  /** The service's own settings, parsed. */
  readonly settings: ValuesOf<K>
  readonly log: Logger
  /** The admin server; routes may be added until `start` resolves. */
  readonly admin: FastifyInstance
  /** host:port under which others reach the admin server: the worker id. */
  readonly address: string
  /** Aborted when the service is to stop. */
  readonly signal: AbortSignal
  /** ms that the service's `stop` and all else of the end may take, before the process just ends. */
  readonly shutdownTimeoutMs: number
  /**
   * What to do with an error that nobody handled, in the async context of its throw, instead of ending the process. It has
   * been logged by then; the process ends all the same when `handler` does not take it (false) or throws.
   */
  onUnhandled(handler: (error: unknown) => boolean): void
  /** Stops the service as a signal would; with an error, the exit code is 1. */
  shutdown(reason: string, error?: unknown): void
}

export interface Service {
  /** True, or in words why the service is not ready. */
  ready(): true | string
  /** Releases everything. Called once. */
  stop(): Promise<void>
  /** More fields of the line event=service_started: the ports of other servers, for instance. */
  readonly startedFields?: Readonly<Record<string, unknown>>
}

export interface ServiceOptions<K extends Keys> {
  /** `grpc-ingest` */
  readonly name: string
  readonly version: string
  /** Its keys come from the environment, together with `serviceSettings`, whose defaults they may change. */
  readonly settings: ConfigSpec<K>
  start(host: ServiceHost<K>): Promise<Service>
}

/**
 * Runs a service until it is told to stop, and ends the process: exit code 0 after SIGTERM, SIGINT or the end of the
 * watched parent, 1 when it cannot start, does not stop in time, or meets an error that nobody handled.
 */
export async function runService<K extends Keys>(options: ServiceOptions<K>): Promise<void> {
  const spec = defineConfig(
    { ...serviceSettings.keys, ...options.settings.keys },
    { ...(options.settings.data.rules && { rules: options.settings.data.rules }) },
  )
  if (process.argv.includes('--help')) return print(helpText(options.name, options.version, spec.data))
  if (process.argv.includes('--version')) return print(`${options.version}\n`)
  const log = createLogger({ name: 'io.tributary.service', fields: { service: options.name } })
  const end = new ProcessEnd(log)
  try {
    await start(options, fromEnv(spec, process.env) as ValuesOf<K> & ServiceValues, log, end)
  } catch (error) {
    await end.stop('start_failed', error)
  }
}

type ServiceValues = ValuesOf<(typeof serviceSettings)['keys']>

async function start<K extends Keys>(
  options: ServiceOptions<K>,
  settings: ValuesOf<K> & ServiceValues,
  log: Logger,
  end: ProcessEnd,
): Promise<void> {
  const { name, version } = options
  loggerLevels.init('root', parseLevel(settings['log.level']) ?? 'info')
  end.timeoutMs = settings['shutdown.timeout.ms']
  end.watch(settings['parent.watch'])
  const bound = settings['admin.host']
  assertBind('admin.host', bound, settings['admin.allow.unauthenticated'], log)

  const metrics = startMetrics({ name, version })
  const flushTraces = await startTracing({ name, version }, process.env)
  const endObserving = observeProcess()
  let service: Service | undefined
  const admin = await startAdminServer({
    host: bound,
    port: settings['admin.port'],
    log,
    ready: () => (end.stopping ? 'The service is stopping.' : (service?.ready() ?? 'The service is starting.')),
    scrape: () => metrics.scrape(),
  })
  // In this order: the service says goodbye while its admin server still answers, and its last spans are sent.
  const starting = Promise.withResolvers<Service | undefined>()
  end.onStop(async () => (await starting.promise)?.stop())
  end.onStop(() => admin.close())
  end.onStop(async () => {
    endObserving()
    await Promise.all([flushTraces(), metrics.shutdown()])
  })

  const address = hostPort(advertisedHost(bound, settings['advertised.host']), admin.port)
  try {
    service = await options.start({
      settings,
      log,
      admin: admin.app,
      address,
      signal: end.signal,
      shutdownTimeoutMs: end.timeoutMs,
      onUnhandled: (handler) => (end.unhandled = handler),
      shutdown: (reason, error) => void end.stop(reason, error),
    })
  } finally {
    starting.resolve(service)
  }
  await admin.open()
  const startMs = Math.round(performance.now())
  log.info('service_started', {
    version,
    address,
    admin: `http://${hostPort(bound, admin.port)}`,
    pid: process.pid,
    start_ms: startMs,
    ...service.startedFields,
  })
}

function print(text: string): void {
  process.stdout.write(text)
}
