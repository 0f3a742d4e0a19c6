import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { abortable } from '@tributary/async'
import {
  type Converter,
  DataError,
  MemoryBudget,
  NotReadyError,
  RetriableError,
  type Props,
  type Transformation,
} from '@tributary/connect-api'
import type { KafkaProducer } from '@tributary/kafka-producer'
import { type ScriptedRun, scriptedRun, type ScriptOptions, until } from '../testing/run-scripted.ts'
import { TaskCounts } from '../unit/task-counts.ts'
import type { CreatedTask } from '../unit/task-factory.ts'
import type { TaskUnit } from '../unit/task-unit.ts'
import { taskHealth } from './health.ts'
import { TASK_METRICS } from './task-metrics.ts'

interface Scene extends ScriptedRun {
  /** Why Kafka does not take records. */
  outage: Error | null
  /** The reason and the lag, `afterMs` from now. */
  health(afterMs: number): [string, number]
  /** What health and the metrics say about the connection. */
  connected(): unknown[]
  failed: boolean
}

function scene(t: TestContext, props: Props = {}, options: ScriptOptions = {}): Scene {
  const s = scriptedRun(props, options)
  t.after(() => s.run.fail(new Error('the test is over')))
  const stats = () => s.task.context!.stats
  const memory = () => s.task.context!.memory
  const created = {
    run: s.run,
    get stats() {
      return stats()
    },
    get memory() {
      return memory()
    },
    errors: { skipped: 0, deadLettered: 0 },
    labels: {},
    parts: {} as CreatedTask['parts'],
    outage: () => made.outage,
    completed: () => s.task.completed(),
    caution: () => s.task.caution(),
  } satisfies CreatedTask
  const unit = {
    id: { connector: 'c', task: 0 },
    current: created,
    counts: new TaskCounts(() => created),
    get failed() {
      return made.failed || s.states.at(-1) === 'failed'
    },
    failure: null,
    statusWaitsMs: 0,
    restartPolicy: { restarts: 0 },
  } as unknown as TaskUnit
  const made: Scene = Object.assign(s, {
    failed: false,
    outage: null as Error | null,
    connected: () => [
      taskHealth(unit, Date.now()).connected,
      ...TASK_METRICS.filter(({ name }) => /connected$/i.test(name)).map(({ read }) => read(unit, Date.now())),
    ],
    health: (afterMs: number): [string, number] => {
      stats().queueSize = s.task.queue.size
      stats().queueCapacity = 1000
      stats().queueMaxBytes = 1000
      const { reason, lag } = taskHealth(unit, Date.now() + afterMs)
      return [reason, lag]
    },
  })
  return made
}

/** Kafka answers no question about a topic. */
function waitForEver(s: Scene): void {
  const producer: KafkaProducer = s.producer
  producer.partitionCount = (_topic, signal) => abortable(new Promise(() => {}), signal)
}

/** Starts the task, and sends messages once it is connected. */
async function sends(s: Scene, count: number): Promise<void> {
  void s.run.run()
  await until(() => s.task.connects === 1, 'it is connected')
  s.task.context!.stats.lastMessageAt = Date.now()
  s.task.send(...Array.from({ length: count }, (_, i) => String(i)))
}

for (const end of ['a bad record', 'a bug in a callback'] as const) {
  test(`a task that ${end} has failed is not connected, in health as in the metrics`, async (t) => {
    const s = scene(t)
    await sends(s, 1)
    await until(() => s.run.progress.recordsProduced === 1, 'it runs')
    assert.deepEqual(s.connected(), [true, 1, 1, 1, 1])
    if (end === 'a bug in a callback') s.run.fail(new Error('bug'))
    else s.task.cut(new DataError('BAD', 'bad'))
    await until(() => s.states.at(-1) === 'failed', 'it has failed')
    assert.deepEqual(s.connected(), [false, 0, 0, 0, 0])
  })
}

test('a task that fails while the worker still closes its connection is not connected either', async (t) => {
  const s = scene(t)
  await sends(s, 1)
  await until(() => s.run.progress.recordsProduced === 1, 'it runs')
  s.failed = true
  assert.deepEqual(s.connected(), [false, 0, 0, 0, 0])
})

test('records flow while Kafka acknowledges them; then the source is silent', async (t) => {
  const s = scene(t)
  await sends(s, 5)
  await until(() => s.run.progress.recordsProduced === 5, 'they are acknowledged')
  assert.deepEqual(s.health(0), ['Records are flowing.', 0])
  assert.deepEqual(s.health(59_000), ['Records are flowing.', 0])
  assert.deepEqual(s.health(75_500), ['Connected; the source has sent nothing for 75 s.', 0])
  await s.run.stop()
})

test('what is dangerous in the configuration is said with every reason', async (t) => {
  const s = scene(t)
  s.task.warning = 'The certificate is not verified.'
  await sends(s, 5)
  await until(() => s.run.progress.recordsProduced === 5, 'they are acknowledged')
  assert.deepEqual(s.health(0), ['Records are flowing. The certificate is not verified.', 0])
  await s.run.stop()
})

test('a batch that waits for its topic counts as lag, and health says how long it has waited', async (t) => {
  const s = scene(t)
  waitForEver(s)
  await sends(s, 5)
  await until(() => s.run.progress.held?.step === 'topic', 'it waits for the topic')
  assert.deepEqual(s.health(0), ['Connected; the first messages are on their way to Kafka.', 5])
  const text = 'A batch of 5 records has waited 12 s for its topic to be looked up or created in Kafka.'
  assert.deepEqual(s.health(12_500), [text, 5])
})

test('so does a batch whose transformation is tried again', async (t) => {
  const away: Transformation = {
    apply: () => {
      throw new RetriableError('X', 'the registry is away')
    },
  }
  const s = scene(t, { 'errors.retry.timeout': '-1' }, { transformations: [away] })
  await sends(s, 1)
  await until(() => s.run.progress.held?.step === 'conversion', 'it is converted')
  assert.deepEqual(s.health(3500), ['A batch of 1 record has waited 3 s to be transformed and converted.', 1])
})

test('health names what a converter waits for, and why', async (t) => {
  const s = scene(t, {}, { valueConverter: waitingFor('the schema registry', 'Schema registry not available.') })
  await sends(s, 2)
  await until(() => s.run.progress.held?.error != null, 'it has tried once')
  const text = 'A batch of 2 records has waited 34 s for the schema registry: Schema registry not available.'
  assert.deepEqual(s.health(34_500), [text, 2])
})

function waitingFor(what: string, why: string): Converter {
  return {
    configure: () => {},
    fromConnectData: () => {
      throw new NotReadyError(what, () => Promise.reject(new RetriableError('X', why)))
    },
    toConnectData: () => assert.fail('not used'),
  }
}

test('so does a batch that waits for the lease', async (t) => {
  const s = scene(t)
  await sends(s, 0)
  s.lease.close()
  s.task.send('a', 'b')
  await until(() => s.run.progress.held?.step === 'lease', 'it waits for the lease')
  assert.match(s.health(2500)[0], /^A batch of 2 records has waited 2 s for the group to confirm/)
})

test('records that Kafka does not acknowledge are no flow, in flight and in a transaction', async (t) => {
  for (const props of [{}, { 'exactly.once.support': 'required' }]) {
    const s = scene(t, props, { resumable: true })
    s.producer.up.close()
    await sends(s, 5)
    await until(() => s.run.progress.recordsPolled === 5 && s.run.progress.held === null, 'they are sent')
    assert.deepEqual(s.health(1000), ['Connected; the first messages are on their way to Kafka.', 5])
    const text = 'Connected; messages wait, and Kafka has acknowledged no record for 14 s.'
    assert.deepEqual(s.health(14_500), [text, 5])
  }
})

test('messages that become no records are no flow', async (t) => {
  const s = scene(t)
  await sends(s, 0)
  assert.match(s.health(0)[0], /none of its messages has become a record lately/)
  await s.run.stop()
})

test('records given up include the batch that waits for its topic', async (t) => {
  const s = scene(t, { 'task.shutdown.graceful.timeout.ms': '50' })
  waitForEver(s)
  await sends(s, 5)
  await until(() => s.run.progress.held !== null, 'it waits for the topic')
  await s.run.stop()
  assert.equal(s.run.progress.abandoned, 5)
})

test('a full queue is no flow, whether it is full of messages or of bytes', async (t) => {
  const s = scene(t)
  await sends(s, 1)
  await until(() => s.run.progress.recordsProduced === 1, 'it is acknowledged')
  s.task.context!.stats.queueBytes = 999
  assert.equal(s.health(0)[0], 'Records are flowing.')
  s.task.context!.stats.queueBytes = 1000
  assert.equal(
    s.health(0)[0],
    'Connected; the queue is full, as Kafka takes records more slowly than the source sends.',
  )
  await s.run.stop()
})

test('a full disk is told, also while Kafka is away', async (t) => {
  const s = scene(t)
  await sends(s, 1)
  await until(() => s.run.progress.recordsProduced === 1, 'it is acknowledged')
  s.task.context!.stats.spillFailure = 'the disk that holds /data/c/0 is full (ENOSPC)'
  const told = '; nothing more can be spilled, as the disk that holds /data/c/0 is full (ENOSPC).'
  assert.equal(s.health(0)[0], `Records are flowing${told}`)
  s.outage = new Error('it is away')
  assert.equal(s.health(0)[0], `Kafka does not answer, records wait: it is away${told}`)
  await s.run.stop()
})

test('a source that waits for the memory of the process is told so', async (t) => {
  const budget = new MemoryBudget(64 * 1024 * 1024)
  const s = scene(t, {}, { memory: budget.share() })
  await sends(s, 1)
  await until(() => s.run.progress.recordsProduced === 1, 'it is acknowledged')
  budget.share().set('queue', budget.limit)
  s.task.context!.memory.set('queue', 1)
  s.task.context!.memory.waitForSpace(() => {})
  assert.match(
    s.health(0)[0],
    /the source waits, as messages .* take the memory budget of the process \(64 MiB, memory/,
  )
  s.task.context!.memory.set('queue', 0)
  assert.equal(s.health(0)[0], 'Records are flowing.')
  await s.run.stop()
})

test('a source that has ended for good says so, once its records have arrived', async (t) => {
  const s = scene(t)
  s.producer.up.close()
  await sends(s, 3)
  s.task.whyCompleted = 'The stream has ended.'
  await until(() => s.run.progress.inFlightRecords === 3, 'Kafka is to take them')
  assert.notEqual(s.health(0)[0], 'The stream has ended.')
  s.producer.up.open()
  await until(() => s.producer.kept.length === 3, 'all arrive')
  await until(() => s.health(0)[0] === 'The stream has ended.', 'health says so')
})
