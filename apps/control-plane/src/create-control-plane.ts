import { internalTopic as byNaming } from '@tributary/config'
import type {
  AccessStore,
  AuditLog,
  ConfigStore,
  HistoryStore,
  InternalTopicCheck,
  OffsetStore,
  PluginStore,
  StatusStore,
} from '@tributary/connect-storage'
import {
  InternalClient,
  type InternalTokens,
  refuseOtherSites,
  RequestSource,
  type RequestSourceOptions,
  type Tls,
} from '@tributary/service'
import type { Logger, LoggerLevels } from '@tributary/telemetry'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type DeadLetterParts, DeadLetterService, type DeadLetterServiceOptions } from './dead-letters/service.ts'
import { authorise } from './http/authorise.ts'
import { CREDENTIAL_HEADERS } from './access/credentials.ts'
import { RecordMask } from './access/record-mask.ts'
import { type Access, identify } from './access/login.ts'
import { AuditTrail } from './audit/audit-trail.ts'
import { type CallerLimitSettings, CallerLimits } from './http/caller-limits.ts'
import { changesMatcher, type CrossOrigin } from './http/cors.ts'
import { answerReplicasInForm } from './http/operators-form.ts'
import { listenerOf } from './http/listener.ts'
import { createRestServer } from './http/server.ts'
import { ConfigHistory } from './history/config-history.ts'
import { Histories } from './versions/histories.ts'
import { Plans } from './versions/plans.ts'
import type { KafkaReader } from './operators/health/installation.ts'
import { operatorsRoutes } from './operators/operators-routes.ts'
import { addRoutes } from './routes/index.ts'
import { callerOf, recognizeReplicas } from './leadership/replica-requests.ts'
import type { WriteGate } from './leadership/write-gate.ts'
import { ApiKeys } from './services/api-keys.ts'
import { Cluster, type ControlPlanes } from './services/cluster.ts'
import { ConfigSecrets } from './services/config-secrets.ts'
import { ConfigValidator } from './services/config-validator.ts'
import { ConnectorHealthReader } from './services/connector-health.ts'
import { ConnectorOffsets, EndedTasks, type Fencing } from './services/connector-offsets.ts'
import { ConnectorViews } from './services/connector-views.ts'
import { Connectors } from './services/connectors.ts'
import { KeyedLock } from './services/keyed-lock.ts'
import { LivePlugins } from './services/live-plugins.ts'
import { Tails } from './tail/tails.ts'
import { LogLevels } from './services/log-levels.ts'
import { Previews } from './services/previews.ts'
import { Server } from './services/server-info.ts'
import { type GroupReader, Workers } from './services/workers.ts'

/** The stores of the topics. They are started: each has read its topic to the end. */
export interface Stores {
  readonly configs: ConfigStore
  readonly status: StatusStore
  readonly offsets: OffsetStore
  readonly plugins: PluginStore
  readonly history: HistoryStore
}

export interface ControlPlaneOptions {
  readonly stores: Stores
  /** A lock for each connector, which every change of a configuration holds. Absent: only the API changes them. */
  readonly locks?: KeyedLock
  readonly groups: GroupReader
  readonly fencing: Fencing
  /** Absent: /health of the operators' API does not tell of Kafka. */
  readonly kafka?: KafkaReader
  /** Who may read /metrics of the operators' API. Absent: everybody. */
  readonly mayReadMetrics?: (request: FastifyRequest) => boolean
  /** The replicas of this service. Absent: this replica knows of no others. */
  readonly controlPlanes?: ControlPlanes
  readonly levels: LoggerLevels
  /** Who may come in. Absent: everybody, with every right. */
  readonly access?: Access
  /** The API keys. Absent: they are off. */
  readonly keys?: AccessStore
  /** Where changes, failed logins and refused requests are written. Absent: nowhere. */
  readonly audit?: {
    readonly log: AuditLog
    /** Whether changes are refused while it cannot be written. */
    readonly required: boolean
  }
  /** Absent: dead letters are not served. */
  readonly deadLetters?: DeadLetterParts
  readonly settings: {
    readonly cluster: string
    /** True: Kafka Connect's behaviour, except 400 where Connect answers a client's mistake with 500. */
    readonly strict: boolean
    readonly requestTimeoutMs: number
    /** Absent: pages of other origins may not call the API. */
    readonly crossOrigin?: CrossOrigin
    /** Absent: requests may name any host. */
    readonly names?: Pick<RequestSourceOptions, 'bound' | 'advertised' | 'allowed'> & {
      /** The address of the operators' API; absent: `bound`. */
      readonly operators?: string
    }
    /** Absent: no caller is limited. */
    readonly callerLimits?: CallerLimitSettings
    readonly trustedProxies?: string
    readonly version: string
    /** Fields of records that are hidden wherever the API shows records. Absent: none. */
    readonly maskedFields?: readonly string[]
    readonly kafkaClusterId: string
  }
  /** The certificates of the process; null or absent: the API answers by http. */
  readonly tls?: Tls | null
  /** The other processes of the cluster; absent: requests to workers are not signed. */
  readonly internal?: {
    readonly tokens: InternalTokens | null
    readonly client: InternalClient
    /** host:port under which other replicas reach this one; null before it listens. */
    readonly self: () => string | null
  }
  /** Absent when there is only one replica. That replica writes. */
  readonly writes?: WriteGate
  /** Names the internal topics. Absent: by their naming alone. */
  readonly internalTopic?: InternalTopicCheck
  /** Whether writes are possible: true, or the reason why not. */
  readonly writable?: (timeoutMs: number) => Promise<true | string>
  /** Why an internal topic cannot be written, in a sentence; null while all can be. */
  readonly trouble?: () => string | null
  readonly log: Logger
}

const NO_OTHER_ORIGIN: CrossOrigin = { origins: '', methods: '' }
const NO_LIMITS: CallerLimitSettings = { requestsPerSecond: 0, failedLoginsPerMinute: 0 }

/** Builds the API on started stores. The caller makes it listen. */
export function createControlPlane(options: ControlPlaneOptions): FastifyInstance {
  const {
    stores,
    groups,
    fencing,
    controlPlanes,
    levels,
    access,
    keys,
    audit,
    settings,
    internal = unsigned(),
    tls = null,
    internalTopic = byNaming,
    writable = () => Promise.resolve(true),
    trouble = () => null,
    log,
  } = options
  const { status, offsets, plugins, history } = stores
  const trail = audit ? new AuditTrail({ audit: audit.log, required: audit.required, self: internal.self }) : null
  const config = trail?.observe(stores.configs) ?? stores.configs
  const { cluster, strict, requestTimeoutMs, version, kafkaClusterId } = settings
  const { trustedProxies = '' } = settings
  const authenticates = (access?.authenticators.length ?? 0) > 0
  const crossOrigin: CrossOrigin = {
    ...(settings.crossOrigin ?? NO_OTHER_ORIGIN),
    ...{ authenticates, headers: authenticates ? CREDENTIAL_HEADERS : [] },
  }
  const workers = new Workers({ groups, cluster, client: internal.client, log })
  const views = new ConnectorViews({ config, status, plugins })
  const validator = new ConfigValidator({ plugins, workers, strict, internalTopic })
  const secrets = new ConfigSecrets(plugins)
  const tlsTrouble = (): string | null => tls?.trouble ?? null
  const server = new Server({ config, writable, trouble, tlsTrouble, kafkaClusterId, version })
  const app = createRestServer({ log, requestTimeoutMs, crossOrigin, trustedProxies, tls })
  admit(app, { ...options, internal }, crossOrigin, trail, secrets)
  const mask = new RecordMask(settings.maskedFields ?? [])
  const logLevels = new LogLevels(levels, config)
  const unfollow = logLevels.follow()
  app.addHook('onClose', async () => unfollow())
  const live = new LivePlugins({ plugins, groups, cluster, log }).follow()
  app.addHook('onClose', async () => live())
  const locks = options.locks ?? new KeyedLock()
  const configHistory = new ConfigHistory({ config, history, secrets, locks })
  const endedTasks = new EndedTasks({ config, views, workers })
  const connectors = new Connectors({ config, views, validator, secrets, history: configHistory, log, writes: locks })
  const letterParts = { config, plugins, views, workers, log }
  const letterService = deadLetters(app, options, { ...letterParts, mask, refusedTopic: internalTopic })
  addRoutes(app, {
    version,
    server,
    views,
    connectors,
    histories: new Histories({ config, history, secrets, connectors }),
    plans: new Plans({ config, status, plugins, validator, secrets, workers, history: configHistory }),
    validator,
    secrets,
    tails: new Tails({ views, workers }),
    previews: new Previews({ plugins, validator, workers, mask }),
    mask,
    health: new ConnectorHealthReader(views, workers),
    cluster: new Cluster({ name: cluster, version, info: server.info(), views, plugins, workers, controlPlanes }),
    levels: logLevels,
    status,
    offsets: new ConnectorOffsets({ config, offsets, views, workers, fencing, endedTasks, writes: locks }),
    plugins,
    keys: keys ? new ApiKeys(keys) : null,
    audit: audit?.log ?? null,
    letters: letterService?.letters ?? null,
    strict,
  })
  const letters = letterService && { index: options.deadLetters!.index, counts: letterService.counts }
  const { kafka, mayReadMetrics = () => true } = options
  const known = { version, views, workers, status, controlPlanes, writable, trouble, letters, mayReadMetrics }
  operatorsRoutes(app, { ...known, ...(kafka && { kafka }) })
  return app
}

/** The other processes of a cluster without a key. */
function unsigned(): NonNullable<ControlPlaneOptions['internal']> {
  return {
    tokens: null,
    client: new InternalClient({ tokens: null, from: () => 'control-plane' }),
    self: () => null,
  }
}

function deadLetters(
  app: FastifyInstance,
  { deadLetters: given }: ControlPlaneOptions,
  parts: Omit<DeadLetterServiceOptions, keyof DeadLetterParts>,
): DeadLetterService | null {
  if (given === undefined) return null
  const service = new DeadLetterService({ ...given, ...parts })
  app.addHook('onClose', () => service.stop())
  return service
}

function recordingLogins(access: Access, trail: AuditTrail): Access {
  return {
    ...access,
    onFailedLogin: (login) => {
      access.onFailedLogin?.(login)
      trail.failedLogin(login)
    },
  }
}

/** The hooks that judge a request, in the order in which a request meets them. */
function admit(
  app: FastifyInstance,
  options: ControlPlaneOptions & Required<Pick<ControlPlaneOptions, 'internal'>>,
  crossOrigin: CrossOrigin,
  trail: AuditTrail | null,
  secrets: ConfigSecrets,
): void {
  const { access, internal, settings, writes } = options
  const { callerLimits = NO_LIMITS, names } = settings
  recognizeReplicas(app, internal)
  answerReplicasInForm(app, (request) => callerOf(request)?.id ?? null)
  if (names) {
    const allowsOrigin = changesMatcher(crossOrigin)
    const sourceOf = (bound: string): RequestSource =>
      new RequestSource({ ...names, bound, setting: 'rest.allowed.hosts', allowsOrigin })
    const sources = { connect: sourceOf(names.bound), operators: sourceOf(names.operators ?? names.bound) }
    refuseOtherSites(app, ({ raw }) => sources[listenerOf(raw)])
  }
  const limits = new CallerLimits(callerLimits)
  limits.beforeLogin(app)
  identify(app, access && trail ? recordingLogins(access, trail) : access)
  limits.afterLogin(app)
  authorise(app)
  // What the trail wraps is inside the gate: carried out here.
  trail?.guard(app, (config) => secrets.masked(config))
  writes?.guard(app)
}
