import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { timestampOf } from './fields.ts'

const AT = Date.UTC(2024, 10, 21, 12, 30, 15, 123)

describe('a timestamp field', () => {
  for (const [value, unit, ms] of [
    [AT, 'ms', AT],
    [String(AT), 'ms', AT],
    [AT / 1000, 's', AT],
    ['1732192215.123456', 's', AT],
    [AT * 1000 + 400, 'us', AT],
    [BigInt(AT) * 1_000_000n + 999n, 'ns', AT],
    [`${AT}000000`, 'ns', AT],
    ['2024-11-21T12:30:15.123Z', 'ms', AT],
    ['2024-11-21t12:30:15.123456789z', 's', AT],
    ['2024-11-21T13:30:15.123+01:00', 'ns', AT],
    ['2024-11-21 12:30:15.123', 'ms', AT],
    ['2024-11-21T12:30:15.123+0000', 'ms', AT],
    ['2024-11-21', 'ms', Date.UTC(2024, 10, 21)],
    ['Thu, 21 Nov 2024 12:30:15 GMT', 'ms', AT - 123],
    [`0x${AT.toString(16)}`, 'ms', AT],
    [{ seconds: 1_732_192_215, nanos: 123_456_789 }, 'ms', AT],
    [0, 'ms', 0],
    [null, 'ms', null],
    [undefined, 'ms', null],
  ] as const) {
    test(`reads ${inspect(value)} in ${unit}`, () => assert.equal(timestampOf(value, unit), ms))
  }

  for (const [value, unit] of [
    ['yesterday', 'ms'],
    ['', 'ms'],
    ['2024-13-21T12:30:15Z', 'ms'],
    ['2024-11-21T12:30:15+99:99', 'ms'],
    [-1, 'ms'],
    [AT * 1000, 'ms'],
    [true, 'ms'],
    [{ at: 1 }, 'ms'],
    [[], 's'],
  ] as const) {
    test(`refuses ${JSON.stringify(value)} in ${unit}`, () => {
      assert.throws(() => timestampOf(value, unit), { code: 'WEBSOCKET_TIMESTAMP', kind: 'data' })
    })
  }
})
