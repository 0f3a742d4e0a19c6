import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Clock, ConfigError, createTaskStats } from '@tributary/connect-api'
import type { LogFields, Logger } from '@tributary/telemetry'
import { RateLimitedLog } from '@tributary/push-source'
import {
  type CommittedPosition,
  committedPosition,
  Resume,
  type ResumeOptions,
  type ResumeValue,
  valueToRequest,
} from './resume.ts'

const at = (value: ResumeValue | null, digests = ''): CommittedPosition => ({ value, digests })
/** Takes a message, which its value and `content` make. */
const accept = (resume: Resume, value: ResumeValue | null, content = ''): boolean =>
  resume.accept(value, Buffer.from(`${value}${content}`))

function resumeFrom(value: ResumeValue | null, options: Partial<ResumeOptions> = {}, digests = '') {
  const committed = at(value, digests)
  const stats = createTaskStats()
  const warnings: [string, LogFields][] = []
  const log = { warn: (event: string, fields: LogFields) => void warnings.push([event, fields]) } as unknown as Logger
  const clock = { monotonic: () => 0 } as unknown as Clock
  const busyLog = new RateLimitedLog(log, clock)
  const resume = new Resume({
    committed,
    monotonic: true,
    contiguous: true,
    onDoubt: 'deliver',
    stats,
    log: busyLog,
    ...options,
  })
  return { resume, stats, warnings }
}

describe('Resume', () => {
  test('starts at the committed value and follows what is received', () => {
    const { resume } = resumeFrom(5n)
    assert.equal(resume.last, 5n)
    assert.equal(accept(resume, 6n), true)
    assert.equal(resume.last, 6n)
    assert.equal(accept(resume, null), true)
    assert.equal(resume.last, 6n)
  })

  test('takes any first value when nothing was committed', () => {
    const { resume, stats } = resumeFrom(null)
    assert.equal(accept(resume, 1_000_000n), true)
    assert.equal(stats.sequenceGaps, 0)
  })

  test('finds duplicates and gaps above 2^53 as well', () => {
    const { resume, stats, warnings } = resumeFrom(2n ** 63n)
    assert.equal(accept(resume, 2n ** 63n), false)
    assert.equal(accept(resume, 2n ** 63n + 3n), true)
    assert.deepEqual([stats.duplicates, stats.sequenceGaps, stats.sequenceGapMessages], [1, 1, 2])
    assert.deepEqual(
      warnings.map(([event]) => event),
      ['sequence_duplicate', 'sequence_gap'],
    )
    assert.equal(warnings[1]?.[1]['from'], 2n ** 63n + 1n)
  })

  test('compares a number with one that was altered to text', () => {
    const { resume, stats } = resumeFrom('41')
    assert.equal(accept(resume, 41n), false)
    assert.equal(accept(resume, 42n), true)
    assert.equal(stats.sequenceGaps, 0)
  })

  test('accepts a missing number that arrives later, and keeps its position', () => {
    const { resume, stats } = resumeFrom(0n)
    assert.deepEqual(
      [1n, 4n, 3n, 3n].map((value) => accept(resume, value)),
      [true, true, true, false],
    )
    assert.equal(resume.last, 4n)
    assert.deepEqual([stats.sequenceGapMessages, stats.duplicates], [2, 1])
  })

  test('takes a lower number with another message for a new numbering, and continues there', () => {
    const { resume, stats, warnings } = resumeFrom(null)
    for (let value = 1n; value <= 1000n; value++) accept(resume, value)
    assert.deepEqual([accept(resume, 1000n), accept(resume, 5n)], [false, false])
    for (let value = 5n; value <= 545n; value++) assert.equal(accept(resume, value, 'anew'), true)
    assert.deepEqual([stats.sequenceGaps, stats.sequenceGapMessages, resume.last], [1, 0, 545n])
    assert.deepEqual(warnings.at(-1)?.[1], { reason: 'reset', last_received: 1000, current: 5n })
  })

  test('after a restart delivers what nobody remembers, fails or drops it', () => {
    const { resume, stats } = resumeFrom(50n)
    assert.deepEqual([accept(resume, 5n), accept(resume, 6n)], [true, true])
    assert.equal(stats.sequenceGaps, 1)
    const failing = resumeFrom(50n, { onDoubt: 'fail' }).resume
    assert.equal(accept(failing, 50n), false)
    assert.equal(accept(failing, 51n), true)
    const { digests } = failing
    assert.throws(() => accept(failing, 48n), { code: 'GRPC_SEQUENCE_RESET', kind: 'config', field: 'sequence.reset' })
    assert.deepEqual([failing.last, failing.digests], [51n, digests])
    assert.equal(accept(resumeFrom(50n, { onDoubt: 'drop' }).resume, 5n), false)
  })

  test('delivers what differs from the message of this number, with exactly once too', () => {
    const before = resumeFrom(null).resume
    for (let value = 1n; value <= 1000n; value++) accept(before, value)
    const { resume } = resumeFrom(1000n, { onDoubt: 'fail' }, before.digests)
    assert.deepEqual(
      [accept(resume, 990n), accept(resume, 990n, 'anew'), accept(resume, 991n, 'anew')],
      [false, true, true],
    )
  })

  test('takes 0 for no number, as proto3 does, and leaves the position', () => {
    const { resume, stats } = resumeFrom(50n)
    assert.deepEqual([accept(resume, 0n), accept(resume, 0n), accept(resume, 51n)], [true, true, true])
    assert.deepEqual([resume.last, stats.sequenceGaps], [51n, 0])
  })

  test('compares the messages of the last value where values may be equal', () => {
    const options = { contiguous: false, onDoubt: 'fail' } as const
    const seconds = Array.from({ length: 57 }, (_, i) => [1_700_000_000n + BigInt(Math.floor(i / 20)), `${i}`] as const)
    const first = resumeFrom(null, options).resume
    for (const [second, id] of seconds.slice(0, 45)) assert.equal(accept(first, second, id), true)
    const { resume, stats } = resumeFrom(first.last, options, first.digests)
    const taken = seconds.slice(40).map(([second, id]) => accept(resume, second, id))
    assert.deepEqual(taken, [...Array<boolean>(5).fill(false), ...Array<boolean>(12).fill(true)])
    assert.deepEqual([stats.duplicates, stats.sequenceGaps], [5, 0])
  })

  test('continues after the committed value of the predecessor, and drops its messages by their numbers', () => {
    const { resume, stats } = resumeFrom(5n)
    assert.equal(resume.takeOver(at(9n)), true)
    assert.equal(resume.last, 9n)
    assert.deepEqual([accept(resume, 6n), accept(resume, 9n), accept(resume, 10n)], [false, false, true])
    assert.deepEqual([stats.duplicates, stats.sequenceGaps], [2, 0])
  })

  for (const contiguous of [true, false]) {
    test(`does not take a server that counts anew for the predecessor's, ${contiguous ? 'by one' : 'by any step'}`, () => {
      const numbers = Array.from({ length: 541 }, (_, i) => BigInt(i + 5))
      const { resume } = resumeFrom(990n, { contiguous })
      resume.takeOver(at(1000n))
      assert.equal(accept(resume, 995n), false)
      assert.equal(numbers.filter((n) => accept(resume, n, 'new')).length, 541)
      const strict = resumeFrom(990n, { contiguous, onDoubt: 'fail' }).resume
      strict.takeOver(at(1000n))
      assert.throws(() => accept(strict, 5n, 'new'), ConfigError)
    })
  }

  test('cannot find the messages of the predecessor by tokens, even numeric ones, nor by unordered numbers', () => {
    assert.equal(resumeFrom('1').resume.takeOver(at('2')), false)
    assert.equal(resumeFrom(1n, { monotonic: false }).resume.takeOver(at(2n)), false)
    assert.equal(resumeFrom(null).resume.takeOver(at(null)), true)
  })

  test('only remembers tokens', () => {
    const { resume, stats } = resumeFrom('b')
    assert.equal(accept(resume, 'a'), true)
    assert.equal(resume.last, 'a')
    assert.equal(stats.duplicates, 0)
  })

  test('logs a run of gaps once', () => {
    const { resume, stats, warnings } = resumeFrom(0n)
    for (let value = 2n; value <= 20n; value += 2n) accept(resume, value)
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

test('the committed position is taken from offsets of every form', () => {
  assert.deepEqual(committedPosition(null), at(null))
  assert.deepEqual(committedPosition({ session_id: 's', sequence: 4 }), at(null))
  assert.deepEqual(committedPosition({ resume: null }), at(null))
  assert.deepEqual(committedPosition({ resume: 7 }), at(7n))
  assert.deepEqual(committedPosition({ resume: 2n ** 60n }), at(2n ** 60n))
  assert.deepEqual(committedPosition({ resume: '007' }), at('007'))
})
