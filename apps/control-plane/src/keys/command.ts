import {
  ConfigException,
  defineConfig,
  type Env,
  fromEnv,
  kafkaConnection,
  kafkaRules,
  kafkaSettings,
  readWorkerProperties,
  type ValuesOf,
} from '@tributary/config'
import { auditKeys, KafkaAccessStore, KafkaAuditLog, storageKeys } from '@tributary/connect-storage'
import { createLogger, type Logger, LoggerLevels } from '@tributary/telemetry'
import { randomUUID } from 'node:crypto'
import { hostname, userInfo } from 'node:os'
import type { Readable } from 'node:stream'
import { parseArgs } from 'node:util'
import { hashPassword } from '../access/passwords.ts'
import { RestError } from '../http/rest-errors.ts'
import { aboutKey, ApiKeys, type ShownKey } from '../services/api-keys.ts'

export interface CommandContext {
  /** What follows `keys`. */
  readonly args: readonly string[]
  readonly env: Env
  readonly stdin: Readable
  readonly out: (text: string) => void
  readonly error: (text: string) => void
}

const USAGE = `Usage: keys create NAME --grant GRANT [--grant GRANT …] [--expires 90d]
       keys list [--json]
       keys revoke NAME
       keys hash-password < FILE

Writes API keys of the REST API to Kafka, without the control plane. Settings are those of the control plane:
KAFKA_BROKERS, TRIBUTARY_KAFKA_…, TRIBUTARY_CLUSTER, or --properties FILE with a connect-distributed.properties.

  --grant GRANT    role[+configs][+records][:pattern]: viewer, operator:orders-*, viewer+configs:orders-*, admin
  --expires END    12h, 90d, 8w, or a date such as 2031-01-31; without it the key does not expire
  hash-password    reads a password and prints what stands in access.basic.file in its place

create prints the key on standard output. It is shown once and cannot be read again.
`

/** The settings of the control plane that lead to the access topic. */
const spec = defineConfig(
  {
    cluster: storageKeys.cluster,
    'access.storage.topic': storageKeys['access.storage.topic'],
    'audit.storage.topic': storageKeys['audit.storage.topic'],
    ...auditKeys,
    'storage.replication.factor': storageKeys['storage.replication.factor'],
    ...kafkaSettings,
  },
  { rules: kafkaRules },
)

/** For Kafka to be reached and all keys to be read, in ms. */
const KAFKA_TIMEOUT_MS = 30_000

/** A mistake in the arguments. */
class UsageError extends Error {}

/** Runs `keys …`. Returns the exit code: 0, 1 when it could not be done, 2 for wrong arguments. */
export async function runKeysCommand(context: CommandContext): Promise<number> {
  try {
    await run(context)
    return 0
  } catch (error) {
    const isUsage = error instanceof UsageError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS')
    const isOurs = error instanceof RestError || error instanceof ConfigException
    const { message, stack } = error as Error
    context.error(isUsage ? `${message}\n\n${USAGE}` : `${isOurs ? message : (stack ?? message)}\n`)
    return isUsage ? 2 : 1
  }
}

async function run(context: CommandContext): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...context.args],
    allowPositionals: true,
    options: {
      grant: { type: 'string', multiple: true },
      expires: { type: 'string' },
      json: { type: 'boolean' },
      properties: { type: 'string' },
      help: { type: 'boolean' },
    },
  })
  const [verb, name, ...more] = positionals
  if (values.help || verb === undefined) return context.out(USAGE)
  if (more.length > 0) throw new UsageError(`There is one argument too many: ${more.join(' ')}`)
  const named = (): string => {
    if (name === undefined) throw new UsageError(`${verb} needs the name of the key.`)
    return name
  }
  const inKafka = (work: (keys: ApiKeys, record: RecordChange) => Promise<void>): Promise<void> =>
    withKeys(context.env, values.properties, context.error, work)
  switch (verb) {
    case 'create': {
      const { grant: grants = [], expires = null } = values
      if (grants.length === 0) throw new UsageError('create needs --grant, such as --grant viewer.')
      const wanted = { name: named(), grants: grants.join(), expires }
      return inKafka(async (keys, record) => {
        const { key, ...shown } = await keys.create(wanted, 'command')
        await record('keys create', wanted.name, aboutKey(wanted))
        context.error(`${line(shown)}\nThis is the key. It is not shown again:\n`)
        context.out(`${key}\n`)
      })
    }
    case 'list':
      if (name !== undefined) throw new UsageError('list has no name.')
      return inKafka((keys) => {
        const list = keys.list()
        context.out(values.json ? `${JSON.stringify(list)}\n` : list.map((key) => `${line(key)}\n`).join(''))
        return Promise.resolve()
      })
    case 'revoke': {
      const revoked = named()
      return inKafka(async (keys, record) => {
        await keys.revoke(revoked)
        await record('keys revoke', revoked)
        context.error(`The key ${revoked} is revoked.\n`)
      })
    }
    case 'hash-password':
      return context.out(`${await hashPassword(await passwordFrom(context.stdin))}\n`)
    default:
      throw new UsageError(`keys has no command ${verb}.`)
  }
}

/** Writes to the audit log that the key of this name was changed. */
type RecordChange = (action: string, key: string, about?: string) => Promise<void>

async function withKeys(
  env: Env,
  properties: string | undefined,
  error: (text: string) => void,
  work: (keys: ApiKeys, record: RecordChange) => Promise<void>,
): Promise<void> {
  const settings = fromEnv(spec, env, properties === undefined ? undefined : readWorkerProperties(properties))
  const levels = new LoggerLevels()
  levels.init('root', 'error')
  const log = createLogger({ name: 'io.tributary.control-plane.keys', stream: { write: error }, levels })
  const store = new KafkaAccessStore({
    connection: kafkaConnection(settings),
    log,
    cluster: settings.cluster,
    topic: settings['access.storage.topic'],
    replication: settings['storage.replication.factor'],
  })
  const brokers = settings['kafka.brokers'].join(',')
  const gaveUp = new RestError(503, `Kafka (${brokers}) did not answer within ${KAFKA_TIMEOUT_MS / 1000} s.`)
  const timeout = new AbortController()
  const timer = setTimeout(() => timeout.abort(gaveUp), KAFKA_TIMEOUT_MS)
  try {
    await store.start(timeout.signal)
    await work(new ApiKeys(store), (...change) => recordChange(settings, log, error, ...change))
  } catch (cause) {
    throw timeout.signal.aborted ? gaveUp : cause
  } finally {
    clearTimeout(timer)
    await store.stop()
  }
}

/** The change is made already, so a failure is only told. */
async function recordChange(
  settings: ValuesOf<(typeof spec)['keys']>,
  log: Logger,
  error: (text: string) => void,
  ...[action, key, about]: Parameters<RecordChange>
): Promise<void> {
  if (settings['audit.enabled'] === false) return
  const host = hostname()
  const audit = new KafkaAuditLog({
    connection: kafkaConnection(settings),
    log,
    cluster: settings.cluster,
    topic: settings['audit.storage.topic'],
    replication: settings['storage.replication.factor'],
    retentionMs: Number(settings['audit.retention.ms']),
  })
  try {
    await audit.append({
      ...{ id: randomUUID(), time: Date.now(), who: `command:${userInfo().username}@${host}`, action, path: key },
      ...{ connector: null, address: host, replica: '', status: 200, outcome: 'done', count: 1, changes: [] },
      ...(about !== undefined && { about }),
    })
  } catch (cause) {
    error(`The change was made, but not recorded. ${(cause as Error).message}\n`)
  } finally {
    await audit.stop()
  }
}

/** `ci  active  admin  expires 2031-01-31T00:00:00.000Z` */
function line({ name, state, grants, created, created_by: by, expires, revoked }: ShownKey): string {
  const end =
    revoked !== null ? `revoked ${time(revoked)}` : expires !== null ? `expires ${time(expires)}` : 'does not expire'
  return [name, state, grants.join(', '), `made ${time(created)} by ${by}`, end].join('  ')
}

function time(ms: number): string {
  return new Date(ms).toISOString()
}

/** Without the line end that a terminal or `echo` adds. */
async function passwordFrom(stdin: Readable): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk as Uint8Array))
  const password = Buffer.concat(chunks)
    .toString()
    .replace(/\r?\n$/, '')
  if (password === '') throw new UsageError('Standard input has no password.')
  return password
}
