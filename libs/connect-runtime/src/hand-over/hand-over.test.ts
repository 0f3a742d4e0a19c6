import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Logger } from '@tributary/telemetry'
import {
  type ConnectError,
  ConfigError,
  createTaskStats,
  MemoryBudget,
  NotConnectedError,
} from '@tributary/connect-api'
import { HandOver, type OverlappingRun } from './hand-over.ts'
import { PredecessorGoesOn } from './predecessor.ts'
import { runtimeErrors } from '../errors.ts'
import { silentLog } from '@tributary/telemetry/testing'

describe('a predecessor that waits for memory of the process', () => {
  const stats = { ...createTaskStats(), queueCapacity: 1000, queueMaxBytes: 1_000_000 }
  const memory = new MemoryBudget(1000).share()
  const run = { created: { stats, memory, outage: () => null } } as unknown as OverlappingRun
  const log = {} as Logger
  const handOver = new HandOver({
    ...{ predecessor: run, successor: run, reason: 'connection_age', log },
    onPredecessorEnded: () => {},
  })

  test('is behind, as what its server sent is still in the paused transport', async () => {
    assert.equal(handOver.behind(), false)
    memory.set('queue', 600)
    memory.waitForSpace(() => {})
    assert.equal(handOver.behind(), true)
    await assert.rejects(handOver.finish(true), PredecessorGoesOn)
    memory.set('queue', 0)
    assert.equal(handOver.behind(), false)
  })
})

const BUSY = new NotConnectedError('BUSY', 'one connection an account')
const DENIED = new ConfigError('DENIED', 'one connection an account')

for (const { how, lives, lastError, failure, refused } of [
  { how: 'has answered with an outage', lives: true, lastError: BUSY, failure: null, refused: true },
  { how: 'has denied the connection', lives: true, lastError: null, failure: DENIED, refused: true },
  { how: 'has not answered yet', lives: true, lastError: null, failure: null, refused: false },
  {
    ...{ how: 'did not answer in time', lives: true, failure: null, refused: false },
    lastError: runtimeErrors.CONNECT_TIMEOUT('no answer'),
  },
  { how: 'has ended the first connection too', lives: false, lastError: BUSY, failure: null, refused: false },
  { how: 'denies the first connection too', lives: false, lastError: null, failure: DENIED, refused: false },
] satisfies readonly {
  how: string
  lives: boolean
  lastError: ConnectError | null
  failure: ConnectError | null
  refused: boolean
}[]) {
  test(`a source that ${how} has ${refused ? '' : 'not '}refused a second connection`, async () => {
    for (const reason of ['config_changed', 'connection_age'] as const) {
      const connection = { connected: lives, hold: () => {}, release: () => {} }
      const stats = { ...createTaskStats(), queueCapacity: 1000, queueMaxBytes: 1_000_000 }
      const created = { stats, memory: { waiting: false }, outage: () => null }
      const end = (): Promise<void> => Promise.resolve(void (connection.connected = false))
      const predecessor = { created: { ...created, run: { connection, handOverState: null } }, failure: null, end }
      const ended = Promise.withResolvers<void>()
      const successor = {
        ...{ created: { ...created, run: { connection: { lastError } } }, failure: failure && { error: failure } },
        ...{ over: false, ended: ended.promise },
        start: (_: unknown, before: HandOver) => {
          if (failure === null)
            before
              .finish(false)
              .catch(() => {})
              .finally(ended.resolve)
          else ended.resolve()
        },
      }
      const handOver = new HandOver({
        ...{ predecessor: predecessor as never, successor: successor as never, reason, log: silentLog },
        onPredecessorEnded: () => {},
      })
      await handOver.run('STARTED')
      assert.equal(handOver.refused, refused, reason)
    }
  })
}
