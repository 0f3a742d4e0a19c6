import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { type Clock, createTaskStats, type TaskStats } from '@tributary/connect-api'
import type { LogFields, Logger } from '@tributary/telemetry'
import { TaskMetricsLog } from './task-metrics-log.ts'

const NOW = 1_700_000_000_000

describe('the task_metrics line', () => {
  let lines: { readonly level: string; readonly fields: LogFields }[]
  let stats: TaskStats
  let monotonic: number
  let metrics: TaskMetricsLog

  beforeEach(() => {
    lines = []
    stats = { ...createTaskStats(), queueCapacity: 10_000 }
    monotonic = 0
    const at =
      (level: string) =>
      (event: string, fields: LogFields = {}) => {
        assert.equal(event, 'task_metrics')
        lines.push({ level, fields })
      }
    const ignore = (): void => {}
    const log: Logger = { name: 'test', trace: ignore, debug: ignore, info: at('info'), warn: at('warn'), error: ignore, child: () => log } // prettier-ignore
    const clock: Clock = { now: () => NOW, monotonic: () => monotonic, sleep: () => Promise.resolve() }
    metrics = new TaskMetricsLog(log, clock, stats, 'session')
  })

  const status = (connected = true): unknown => {
    metrics.write(connected)
    return lines.at(-1)!.fields['status']
  }

  test('is logged each 30 s', () => {
    for (const at of [0, 29_999, 30_000, 59_999, 60_000]) {
      monotonic = at
      metrics.maybeWrite(true)
    }
    assert.equal(lines.length, 2)
  })

  test('has the worst status that applies, as a warning', () => {
    assert.equal(status(), 'HEALTHY')
    assert.equal(lines[0]!.level, 'info')
    stats.lastMessageAt = NOW - 60_001
    assert.equal(status(), 'NO_RECENT_MESSAGES')
    stats.messagesReceived = 1001
    assert.equal(status(), 'HIGH_LAG')
    stats.queueSize = 8100
    assert.equal(status(), 'HIGH_QUEUE_UTILIZATION')
    stats.messagesDropped = 1
    assert.equal(status(), 'DROPPING_MESSAGES')
    assert.equal(status(false), 'DISCONNECTED')
    assert.deepEqual(new Set(lines.slice(1).map(({ level }) => level)), new Set(['warn']))
  })

  test('counts as lag the messages in the queue, however many records the others became', () => {
    stats.messagesReceived = 5000
    // Three of four messages made no record: heartbeats or duplicates.
    metrics.handedOut(4900, 1225)
    assert.equal(status(), 'HEALTHY')
    assert.equal(lines[0]!.fields['lag_count'], 100)
    assert.equal(lines[0]!.fields['records_produced'], 1225)
  })

  test('has no negative lag when an earlier run left messages', () => {
    metrics.handedOut(5, 50)
    metrics.write(true)
    assert.equal(lines[0]!.fields['lag_count'], 0)
  })
})
