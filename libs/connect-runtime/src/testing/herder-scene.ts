import type { TestContext } from 'node:test'
import { systemClock } from '@tributary/async'
import { MemoryBudget, type SourcePlugin } from '@tributary/connect-api'
import { createProducerPool } from '@tributary/kafka-producer'
import { Overlaps } from '../assignment/overlaps.ts'
import { ZombieFencing } from '../unit/zombie-fencing.ts'
import { Herder } from '../worker/herder.ts'
import type { UnitEnvironment } from '../unit/task-unit.ts'
import { FakeConfigStore } from './fake-config-store.ts'
import { FakeOffsets } from './fake-offsets.ts'
import { FakeStatusStore } from './fake-status-store.ts'
import { silentLog } from '@tributary/telemetry/testing'

export interface HerderScene {
  readonly config: FakeConfigStore
  readonly status: FakeStatusStore
  readonly herder: Herder
  /** Number of times that the herder asked the group to rebalance. */
  rejoins: number
}

/** A herder on fakes, without Kafka. Its tasks can start and connect, but never get a producer. */
export function herderScene(t: TestContext, plugins: readonly SourcePlugin[]): HerderScene {
  const config = new FakeConfigStore()
  const status = new FakeStatusStore()
  const group = {
    generation: 1,
    leaseValid: () => true,
    waitForLease: () => Promise.resolve(),
    rejoin: () => void made.rejoins++,
  }
  const admin = {
    fenceProducers: () => Promise.resolve(),
    describeGroup: () => Promise.resolve({ members: [] }),
    createTopic: () => Promise.resolve(),
  }
  const shared = { clock: systemClock, log: silentLog }
  const environment: UnitEnvironment = {
    ...shared,
    producers: createProducerPool({ brokers: [], clientId: 'test' }, 'tributary'),
    groupId: 'g',
    offsets: new FakeOffsets(),
    admin,
    exactlyOnceSource: true,
    handOverTimeoutMs: 1000,
    dataDir: '/nonexistent',
    memory: new MemoryBudget(Infinity),
    // A stop has no Kafka to deliver to, so it need not wait.
    defaults: { 'task.shutdown.graceful.timeout.ms': '1' },
    providers: {},
    restart: { max: 0, backoffMs: 1, backoffMaxMs: 1, healthyMs: 1 },
  }
  const herder = new Herder({
    ...{ plugins, config, status, environment },
    overlaps: new Overlaps(plugins, environment),
    fencing: new ZombieFencing({ ...shared, admin, groupId: 'g', waitMs: 1, rejoin: () => {} }),
    strict: false,
    workerId: 'w:1',
    group: () => group,
    log: silentLog,
  })
  herder.start()
  t.after(() => herder.stop())
  const made: HerderScene = { config, status, herder, rejoins: 0 }
  return made
}
