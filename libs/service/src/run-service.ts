import {
  ConfigException,
  defineConfig,
  fromEnv,
  readWorkerProperties,
  Secret,
  secretsOf,
  unknownProperties,
} from '@tributary/config'
import type { ConfigSpec, Keys, ValuesOf } from '@tributary/config'
import { createLogger, hideSecrets, loggerLevels, logToFile, parseLevel } from '@tributary/telemetry'
import type { Logger } from '@tributary/telemetry'
import type { FastifyInstance } from 'fastify'
import { parseArgs } from 'node:util'
import { startAdminServer } from './admin-server.ts'
import { assertBind, hostPort } from './bind.ts'
import { helpText } from './help.ts'
import { RequestSource } from './http/request-source.ts'
import { InternalTokens } from './internal-token.ts'
import { collectWhenIdle } from './idle-memory.ts'
import { observeProcess } from './process-metrics.ts'
import { ProcessEnd } from './process-end.ts'
import { serviceSettings } from './settings.ts'
import { Tls } from './tls.ts'
import { startTracing } from './tracing.ts'

/** What `runService` gives to a service. */
export interface ServiceHost<K extends Keys = Keys> {
  /** The service's own settings, parsed. */
  readonly settings: ValuesOf<K>
  readonly log: Logger
  /** The admin server. Routes may be added until `start` resolves. */
  readonly admin: FastifyInstance
  /** host:port at which others reach the admin server. This is the worker id. */
  readonly address: string
  /** The certificates of the process; null: it has none, and its servers answer by http. */
  readonly tls: Tls | null
  /** Aborts when the service must stop. */
  readonly signal: AbortSignal
  /** Time in ms for `stop` and the rest of the shutdown. Afterwards the process exits without waiting. */
  readonly shutdownTimeoutMs: number
  /**
   * Registers a handler for errors that nobody caught, which otherwise end the process. The handler runs in the async
   * context of the throw, after the error was logged. If it returns false or throws, the process ends.
   */
  onUnhandled(handler: (error: unknown) => boolean): void
  /** Stops the service like a signal. The exit code is 1 when `error` is given. */
  shutdown(reason: string, error?: unknown): void
}

export interface Service {
  /** True, or the reason why the service is not ready. */
  ready(): true | string
  /** Releases everything. Called once. */
  stop(): Promise<void>
  /** Additional fields of the line event=service_started, such as the ports of other servers. */
  readonly startedFields?: Readonly<Record<string, unknown>>
}

export interface ServiceOptions<K extends Keys> {
  /** The name of the service, such as `grpc-ingest`. */
  readonly name: string
  readonly version: string
  /**
   * The service's own keys. They are read from the environment, like those of `serviceSettings`, whose defaults they
   * may change.
   */
  readonly settings: ConfigSpec<K>
  start(host: ServiceHost<K>): Promise<Service>
}

/**
 * Runs a service until it is stopped, then ends the process. The exit code is 0 after SIGTERM, SIGINT or the end of the
 * watched parent. It is 1 when the service cannot start, does not stop in time, or meets an error that nobody caught.
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
    const settings = settingsFrom(spec, propertiesPath(process.argv), log) as ValuesOf<K> & ServiceValues
    hideSecrets(secretsOf(spec.data, asTexts(settings)))
    const logFile = settings['log.file']
    if (logFile !== null) logToFile(logFile)
    await start(options, settings, log, end)
  } catch (error) {
    await end.stop('start_failed', error)
  }
}

/** The file after `--properties`, or in `--properties=FILE`; null without the option. Throws ConfigException for the option alone. */
function propertiesPath(args: readonly string[]): string | null {
  const { properties } = parseArgs({
    args: args.slice(2),
    options: { properties: { type: 'string' } },
    strict: false,
  }).values
  if (properties === true) {
    const message = '--properties needs the path of a connect-distributed.properties.'
    throw new ConfigException(message, [{ name: '--properties', message }])
  }
  return typeof properties === 'string' ? properties : null
}

function settingsFrom<K extends Keys>(spec: ConfigSpec<K>, path: string | null, log: Logger): ValuesOf<K> {
  if (path === null) return fromEnv(spec, process.env)
  const file = readWorkerProperties(path)
  const unknown = unknownProperties(spec, file, process.env)
  if (unknown.length > 0) log.warn('properties_without_effect', { file: path, properties: unknown.join(' ') })
  return fromEnv(spec, process.env, file)
}

/** Settings that are texts, with the secret ones in the clear. */
function asTexts(settings: Readonly<Record<string, unknown>>): Record<string, string> {
  const texts: Record<string, string> = {}
  for (const [name, value] of Object.entries(settings)) {
    const text = value instanceof Secret ? value.reveal() : value
    if (typeof text === 'string') texts[name] = text
  }
  return texts
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
  const tls = Tls.load(settings, log)
  const tokens = InternalTokens.from(settings['internal.key'])
  if (tokens?.isWeak) log.warn('internal_key_short', { advice: 'use 32 random characters: a short key can be guessed' })
  const metricsToken = settings['admin.metrics.token']
  // On a network a key that can be guessed from any request is none.
  if (tokens === null || tokens.isWeak || (metricsToken === null && tls?.asksClients !== true)) {
    const guard =
      'TRIBUTARY_INTERNAL_KEY (32 random characters) with TRIBUTARY_ADMIN_METRICS_TOKEN or TRIBUTARY_TLS_CLIENT_AUTH'
    assertBind('admin.host', bound, settings['admin.allow.unauthenticated'], log, guard)
  }

  const flushTraces = await startTracing({ name, version }, process.env)
  const ends = [observeProcess(), collectWhenIdle(), () => tls?.stop()]
  let service: Service | undefined
  const admin = await startAdminServer({
    host: bound,
    port: settings['admin.port'],
    advertised: settings['advertised.host'],
    ...{ tokens, tls, metricsToken },
    log,
    source: new RequestSource({
      bound,
      advertised: settings['advertised.host'],
      allowed: settings['admin.allowed.hosts'],
      setting: 'admin.allowed.hosts',
    }),
    ready: () => (end.stopping ? 'The service is stopping.' : (service?.ready() ?? 'The service is starting.')),
  })
  // The order matters: the service stops while its admin server still answers, and then its last spans are sent.
  const starting = Promise.withResolvers<Service | undefined>()
  end.onStop(async () => (await starting.promise)?.stop())
  end.onStop(() => admin.close())
  end.onStop(async () => {
    for (const each of ends) each()
    await flushTraces()
  })

  const { address } = admin
  try {
    service = await options.start({
      settings,
      log,
      admin: admin.app,
      address,
      tls,
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
    admin: `${tls?.serves ? 'https' : 'http'}://${hostPort(bound, admin.port)}`,
    pid: process.pid,
    start_ms: startMs,
    ...service.startedFields,
  })
}

function print(text: string): void {
  process.stdout.write(text)
}
