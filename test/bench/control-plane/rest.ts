/**
 * What authentication costs a request: `npm run bench -- rest [rounds, default 5]`.
 *
 * Control planes of one cluster, as real processes, answer `GET /connectors/{connector}` at 500 requests a second, in turn: without
 * authentication twice, so that the difference of the two shows how much is chance, and with an API key of an admin, of a
 * viewer, and of one who sees the secrets masked.
 *
 * Needs a quiet machine. Uses KAFKA_BROKERS, or starts a broker.
 */
import { randomUUID } from 'node:crypto'
import { createStores } from '@tributary/connect-storage'
import { sharedKafka, temporaryFolder } from '@tributary/harness'
import { KafkaAdmin } from '@tributary/kafka'
import { createLogger } from '@tributary/telemetry'
import { makeApiKey } from '../../support/api-key.ts'
import { cpuUs } from '../process-usage.ts'
import { inTurn, ratios, type Subject } from '../support/in-turn.ts'
import { machine, median, spread, table } from '../support/table.ts'
import { Installation } from './installation.ts'
import { type RequestRate, requestRate } from './request-rate.ts'

const RATE = 500
const SECONDS = 6
const CLASS = 'BenchSource'
const OFF = 'off'

interface Figures extends RequestRate {
  /** CPU time of the control plane per request, the warm-up included. */
  readonly cpuUs: number
}

const rounds = Number(process.argv[2] ?? 5)
if (!Number.isSafeInteger(rounds) || rounds < 1)
  throw new Error(`the number of rounds is from 1, not ${process.argv[2]}`)
const { brokers } = await sharedKafka()
const connection = { brokers, clientId: 'bench' }
const cluster = `bench-${randomUUID().slice(0, 8)}`
const config = {
  'connector.class': CLASS,
  topic: 'ticks',
  ...Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`setting.${i}`, `value ${i}`])),
  'auth.token': 'a secret',
}

await publishPlugin()
const installation = new Installation({ cluster, connection, logs: temporaryFolder('bench') })
const open = await installation.startControlPlane()
const made = await fetch(`http://${open.address}/connectors`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ name: 'a', config }),
})
if (made.status !== 201) throw new Error(await made.text())
const keys = new Map<string, string>()
for (const grant of ['admin', 'viewer', 'admin-configs']) keys.set(grant, await makeApiKey(brokers, cluster, grant))
const guarded = await installation.startControlPlane({ TRIBUTARY_ACCESS_AUTHENTICATION: 'keys' })

const subject = (name: string, { address, pid }: typeof open, key?: string): Subject<Figures> => ({
  name,
  measure: async () => {
    const before = cpuUs(pid)
    const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` }
    const url = `http://${address}/connectors/a`
    const figures = await requestRate({ name, url, rate: RATE, seconds: SECONDS, headers })
    // requestRate warms up for two seconds at the same rate.
    const requests = (figures.requests * (SECONDS + 2)) / SECONDS
    return { ...figures, cpuUs: (cpuUs(pid) - before) / requests }
  },
})
const subjects = [
  subject(OFF, open),
  ...[...keys].map(([grant, key]) => subject(`key of ${grant}`, guarded, key)),
  subject('off again', open),
]
const runs = await inTurn(rounds, subjects, async () => {})

console.log(`GET /connectors/{connector}, ${RATE} requests a second, ${SECONDS} s, ${rounds} rounds; ${machine}\n`)
const head = ['authentication', 'requests/s', 'failed', 'p50 ms', 'p99 ms', 'p99 beside off', 'CPU µs']
const rows = subjects.map(({ name }) => {
  const all = runs.get(name)!
  const of = (value: (figures: Figures) => number, digits: number): string => spread(all.map(value), digits)
  return [
    name,
    of(({ requests }) => requests / SECONDS, 0),
    of(({ failed }) => failed, 0),
    of(({ p50 }) => p50, 2),
    of(({ p99 }) => p99, 2),
    `${median(ratios(runs, name, OFF, ({ p99 }) => p99)).toFixed(2)} ×`,
    of((figures) => figures.cpuUs, 0),
  ]
})
console.log(table(head, rows))

for (const process of [guarded, open]) await process.stop()
const admin = new KafkaAdmin(connection)
const stores = ['configs', 'offsets', 'status', 'plugins', 'access', 'history']
await admin.deleteTopics(stores.map((store) => `${cluster}-connect-${store}`))
await admin.close()

/** Publishes a plugin without a worker, so that a connector can be made. */
async function publishPlugin(): Promise<void> {
  const log = createLogger({ name: 'bench', stream: { write: () => true } })
  const { plugins } = createStores({ connection, log, cluster })
  await plugins.start(AbortSignal.timeout(60_000))
  const settings = Object.keys(config).filter((key) => key !== 'connector.class' && key !== 'name')
  await plugins.publish({
    class: CLASS,
    aliases: [],
    type: 'source',
    version: '0',
    service: 'bench-ingest',
    spec: { keys: Object.fromEntries(settings.map((key) => [key, { type: 'string', importance: 'low', doc: '' }])) },
  })
  await plugins.stop()
}
