import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { systemClock } from '@tributary/async'
import type { Clock, SourcePlugin } from '@tributary/connect-api'
import type { RoundMember } from '@tributary/kafka'
import type { MemberMetadata } from './group.ts'
import { Leader } from './leader.ts'
import { Overlaps } from './overlaps.ts'
import { FakeConfigStore } from '../testing/fake-config-store.ts'
import { until } from '../testing/run-scripted.ts'
import { ScriptedTask } from '../testing/scripted-task.ts'

const plugin: SourcePlugin = {
  class: 'test.Scripted',
  aliases: [],
  version: '1',
  taskClass: 'test.ScriptedTask',
  handOver: () => ({ maxConnectionAgeMs: 0 }),
  connector: { spec: { keys: {} }, taskConfigs: (config) => [config] },
  createTask: () => new ScriptedTask(),
}

interface Scene {
  readonly leader: Leader
  readonly config: FakeConfigStore
  rounds: number
  pass(ms: number): void
  /** Runs a round. `members` has what each member owns (`a: ['c/one']`); the result has what each member should run. */
  round(members: Record<string, readonly string[]>, cfg?: string): Promise<Record<string, readonly string[]>>
}

async function scene(t: TestContext, connectors: readonly string[], settleMs = 2000): Promise<Scene> {
  const config = new FakeConfigStore()
  for (const name of connectors) await config.putConnectorConfig(name, { name, 'connector.class': plugin.class })
  let now = 1_000_000
  const clock: Clock = { now: () => now, monotonic: () => now, sleep: () => Promise.resolve() }
  const rejoin = (): void => void made.rounds++
  const overlaps = new Overlaps([plugin], { defaults: {}, providers: {} })
  const leader = new Leader({ config, plugins: [plugin], overlaps, clock, settleMs, rejoin })
  t.after(() => leader.close())
  const made: Scene = {
    leader,
    config,
    rounds: 0,
    pass: (ms) => void (now += ms),
    round: async (members, cfg = '0') => {
      const joined = Object.entries(members).map(([memberId, units]): RoundMember<MemberMetadata> => {
        const own = units.map((unit) => [unit, 1, 0] as const)
        return { memberId, leaving: false, metadata: { worker: memberId, cfg, own } }
      })
      const assignments = await leader.assign(joined)
      return Object.fromEntries([...assignments].map(([memberId, { run }]) => [memberId, run]))
    },
  }
  return made
}

test('a unit without an owner is placed at once, also in a round in which a member joins', async (t) => {
  const { round, config } = await scene(t, ['one', 'two'])
  assert.deepEqual(await round({ a: [] }), { a: ['c/one', 'c/two'] })
  await config.putConnectorConfig('zero', { name: 'zero', 'connector.class': plugin.class })
  assert.deepEqual(await round({ a: ['c/one', 'c/two'], b: [] }), { a: ['c/one', 'c/two'], b: ['c/zero'] })
})

test('the units of a member that has left are placed at once', async (t) => {
  const { round, pass } = await scene(t, ['one', 'two'])
  await round({ a: [], b: [] })
  pass(10_000)
  assert.deepEqual(await round({ a: ['c/one'] }), { a: ['c/one', 'c/two'] })
})

test('running units move for balance once the membership has not changed for the settle time', async (t) => {
  const { round, pass } = await scene(t, ['one', 'two', 'three'])
  const all = ['c/one', 'c/three', 'c/two']
  await round({ a: [] })
  pass(60_000)
  assert.deepEqual(await round({ a: all, b: [] }), { a: all, b: [] })
  pass(1900)
  assert.deepEqual(await round({ a: all, b: [], c: [] }), { a: all, b: [], c: [] })
  pass(1900)
  assert.deepEqual(await round({ a: all, b: [], c: [] }), { a: all, b: [], c: [] }, 'the settle time starts again')
  pass(200)
  assert.deepEqual(await round({ a: all, b: [], c: [] }), { a: ['c/one'], b: [], c: [] }, 'the units are revoked first')
  assert.deepEqual(await round({ a: ['c/one'], b: [], c: [] }), { a: ['c/one'], b: ['c/three'], c: ['c/two'] })
})

test('the leader asks for a round for moves that were put off', async (t) => {
  const made = await scene(t, ['one', 'two'], 20)
  await made.round({ a: ['c/one', 'c/two'], b: [] })
  await until(() => made.rounds === 1, 'the leader asks for another round')
})

test('a leader that has read less of the config topic than a member catches up before it assigns', async (t) => {
  const { round, config } = await scene(t, [])
  config.outage = new Error('asked')
  await assert.rejects(round({ a: [] }, '1'), /asked/)
  await round({ a: [] }, '0')
})

test('a new leader continues a move where the previous leader left it', async (t) => {
  const { config } = await scene(t, ['one', 'two'])
  const taskProps = { 'connector.class': plugin.class, 'task.class': plugin.taskClass }
  for (const connector of ['one', 'two']) await config.putTaskConfigs(connector, [taskProps], 1)
  const round = async (...members: (Partial<MemberMetadata> & { has: readonly string[] })[]): Promise<unknown> => {
    const overlaps = new Overlaps([plugin], { defaults: {}, providers: {} })
    const leader = new Leader({
      config,
      plugins: [plugin],
      overlaps,
      clock: systemClock,
      settleMs: 0,
      rejoin: () => {},
    })
    t.after(() => leader.close())
    const joined = members.map(({ has, ...metadata }, i): RoundMember<MemberMetadata> => {
      const own = has.map((unit) => [unit, 1, 0] as const)
      return { memberId: `m${i}`, leaving: false, metadata: { worker: `w:${i}`, cfg: '0', own, ...metadata } }
    })
    const assignments = await leader.assign(joined)
    return [...assignments.values()].map(({ cfg: _, followup: __, ...units }) => units)
  }
  const [a, b] = [['c/one', 't/0/one'], ['c/two']]
  const moving = 't/0/two'
  assert.deepEqual(await round({ has: [...a, moving] }, { has: b, preparing: [], ready: [] }), [
    { run: [...a, moving], moving: [moving] },
    { run: b, prepare: [moving] },
  ])
  assert.deepEqual(await round({ has: [...a, moving] }, { has: b, preparing: [moving], ready: [] }), [
    { run: [...a, moving], moving: [moving] },
    { run: b, prepare: [moving] },
  ])
  const taken = [{ run: a }, { run: b, prepare: [moving] }]
  assert.deepEqual(await round({ has: [...a, moving] }, { has: b, preparing: [], ready: [moving] }), taken)
  assert.deepEqual(await round({ has: a }, { has: b, preparing: [], ready: [moving] }), [
    { run: a },
    { run: [...b, moving] },
  ])
  assert.deepEqual(
    await round({ has: [...a, moving] }, { has: b }),
    [{ run: a }, { run: b }],
    'a member whose version cannot prepare',
  )
})

test('a secret file that hangs does not hold the assignment, and is known in a later round', async (t) => {
  const config = new FakeConfigStore()
  const props = { 'connector.class': plugin.class, 'task.class': plugin.taskClass, token: '${file:/hangs:token}' }
  await config.putConnectorConfig('one', { name: 'one', ...props })
  await config.putTaskConfigs('one', [props, props, props], 1)
  const file = Promise.withResolvers<string>()
  const overlaps = new Overlaps([plugin], { defaults: {}, providers: { file: { lookup: () => file.promise } } })
  const rejoin = (): void => {}
  const leader = new Leader({ config, plugins: [plugin], overlaps, clock: systemClock, settleMs: 0, rejoin })
  t.after(() => leader.close())
  const own = ['c/one', 't/0/one', 't/1/one', 't/2/one'].map((unit) => [unit, 1, 0] as const)
  const prepared = async (): Promise<readonly string[] | undefined> => {
    const metadata = { worker: 'w', cfg: '0', preparing: [], ready: [] }
    const assignments = await leader.assign([
      { memberId: 'a', leaving: false, metadata: { ...metadata, own } },
      { memberId: 'b', leaving: false, metadata: { ...metadata, own: [] } },
    ])
    return assignments.get('b')!.prepare
  }
  assert.equal(await prepared(), undefined, 'its task moves without overlap')
  file.resolve('geheim')
  await file.promise
  await until(() => overlaps.allowed(config.snapshot, 't/0/one'), 'the file is read')
  assert.equal((await prepared())?.length, 1)
})
