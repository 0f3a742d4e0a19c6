import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Clock, createTaskStats } from '@tributary/connect-api'
import type { LogFields, Logger } from '@tributary/telemetry'
import { RateLimitedLog } from '@tributary/push-source'
import { committedValue, Resume, type ResumeOptions, valueToRequest } from './resume.ts'

function resumeFrom(committed: ResumeOptions['committed'], options: Partial<ResumeOptions> = {}) {
  const stats = createTaskStats()
  const warnings: [string, LogFields][] = []
  const log = { warn: (event: string, fields: LogFields) => void warnings.push([event, fields]) } as unknown as Logger
  const clock = { monotonic: () => 0 } as unknown as Clock
  const busyLog = new RateLimitedLog(log, clock)
  const resume = new Resume({ committed, monotonic: true, contiguous: true, stats, log: busyLog, ...options })
  return { resume, stats, warnings }
}

describe('Resume', () => {
  test('starts at the committed value and follows what is received', () => {
    const { resume } = resumeFrom(5n)
    assert.equal(resume.last, 5n)
    assert.equal(resume.accept(6n), true)
    assert.equal(resume.last, 6n)
    assert.equal(resume.accept(null), true)
    assert.equal(resume.last, 6n)
  })

  test('takes any first value when nothing was committed', () => {
    const { resume, stats } = resumeFrom(null)
    assert.equal(resume.accept(1_000_000n), true)
    assert.equal(stats.sequenceGaps, 0)
  })

  test('finds duplicates and gaps above 2^53 as well', () => {
    const { resume, stats, warnings } = resumeFrom(2n ** 63n)
    assert.equal(resume.accept(2n ** 63n), false)
    assert.equal(resume.accept(2n ** 63n + 3n), true)
    assert.deepEqual([stats.duplicates, stats.sequenceGaps, stats.sequenceGapMessages], [1, 1, 2])
    assert.deepEqual(
      warnings.map(([event]) => event),
      ['sequence_duplicate', 'sequence_gap'],
    )
    assert.equal(warnings[1]?.[1]['from'], 2n ** 63n + 1n)
  })

  test('compares a number with one that was altered to text', () => {
    const { resume, stats } = resumeFrom('41')
    assert.equal(resume.accept(41n), false)
    assert.equal(resume.accept(42n), true)
    assert.equal(stats.sequenceGaps, 0)
  })

  test('accepts a missing number that arrives later, and keeps its position', () => {
    const { resume, stats } = resumeFrom(0n)
    assert.deepEqual(
      [1n, 4n, 3n, 3n].map((value) => resume.accept(value)),
      [true, true, true, false],
    )
    assert.equal(resume.last, 4n)
    assert.deepEqual([stats.sequenceGapMessages, stats.duplicates], [2, 1])
  })

  test('never takes a low number for a reset', () => {
    const { resume } = resumeFrom(50n)
    assert.deepEqual([resume.accept(0n), resume.accept(1n)], [false, false])
  })

  test('continues after the committed value of the predecessor, and drops its messages by their numbers', () => {
    const { resume, stats } = resumeFrom(5n)
    assert.equal(resume.takeOver(9n), true)
    assert.equal(resume.last, 9n)
    assert.deepEqual([resume.accept(6n), resume.accept(9n), resume.accept(10n)], [false, false, true])
    assert.deepEqual([stats.duplicates, stats.sequenceGaps], [2, 0])
  })

  test('cannot find the messages of the predecessor by tokens, even numeric ones, nor by unordered numbers', () => {
    assert.equal(resumeFrom('1').resume.takeOver('2'), false)
    assert.equal(resumeFrom(1n, { monotonic: false }).resume.takeOver(2n), false)
    assert.equal(resumeFrom(null).resume.takeOver(null), true)
  })

  test('only remembers tokens', () => {
    const { resume, stats } = resumeFrom('b')
    assert.equal(resume.accept('a'), true)
    assert.equal(resume.last, 'a')
    assert.equal(stats.duplicates, 0)
  })

  test('logs a run of gaps once', () => {
    const { resume, stats, warnings } = resumeFrom(0n)
    for (let value = 2n; value <= 20n; value += 2n) resume.accept(value)
    assert.equal(stats.sequenceGaps, 10)
    assert.equal(warnings.length, 1)
  })
})

test('the value to ask for is the last one or the one after it', () => {
  assert.equal(valueToRequest(5n, false), 5n)
  assert.equal(valueToRequest(5n, true), 6n)
  assert.equal(valueToRequest('5', true), 6n)
  assert.equal(valueToRequest('page-5', true), 'page-5')
})

test('the committed value is taken from offsets of every form', () => {
  assert.equal(committedValue(null), null)
  assert.equal(committedValue({ session_id: 's', sequence: 4 }), null)
  assert.equal(committedValue({ resume: null }), null)
  assert.equal(committedValue({ resume: 7 }), 7n)
  assert.equal(committedValue({ resume: 2n ** 60n }), 2n ** 60n)
  assert.equal(committedValue({ resume: '007' }), '007')
})
