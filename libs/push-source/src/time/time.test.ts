import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseTime } from './parse-time.ts'
import { noTimeText, recordTime } from './record-time.ts'

const AT = Date.UTC(2022, 11, 29, 18, 22, 32) / 1000

describe('the text of a time', () => {
  for (const [text, seconds, nanos] of [
    ['2022-12-29T18:22:32Z', AT, 0],
    ['2022-12-29t18:22:32.5z', AT, 500_000_000],
    ['2022-12-29 18:22:32', AT, 0],
    ['2022-12-29T18:22:32,123456789123', AT, 123_456_789],
    ['2022-12-29T18:22:32+0000', AT, 0],
    ['2022-12-29T19:22:32+01', AT, 0],
    ['2022-12-29T13:52:32-04:30', AT, 0],
    ['2022-12-29T18:22', AT - 32, 0],
    ['2022-12-29 18:22Z', AT - 32, 0],
    ['2022-12-29', Date.UTC(2022, 11, 29) / 1000, 0],
    ['2022-12-29Z', Date.UTC(2022, 11, 29) / 1000, 0],
    ['2022-12-29 18:22:32.318353 +0000 UTC', AT, 318_353_000],
    ['2022-12-29 19:22:32.318353 +0100 CET m=+0.000012345', AT, 318_353_000],
    ['2022-12-29 21:22:32 +0300 +03', AT, 0],
    ['2022-12-29T19:22:32+01:00[Europe/Paris]', AT, 0],
    ['Thu, 29 Dec 2022 18:22:32 GMT', AT, 0],
    ['Thursday, 29-Dec-22 18:22:32 GMT', AT, 0],
    ['Thu Dec 29 18:22:32 2022', AT, 0],
    ['Thu Dec  1 18:22:32 UTC 2022', AT - 28 * 86_400, 0],
    ['Thu, 29 Dec 2022 19:22:32 +0100', AT, 0],
    ['29 Dec 2022 18:22 GMT', AT - 32, 0],
    ['Sunday, 06-Nov-94 08:49:37 GMT', Date.UTC(1994, 10, 6, 8, 49, 37) / 1000, 0],
    ['2016-12-31T23:59:60Z', Date.UTC(2017, 0, 1) / 1000, 0],
    ['0001-01-01T00:00:00Z', -62_135_596_800, 0],
    ['2024-02-29', Date.UTC(2024, 1, 29) / 1000, 0],
  ] as const) {
    test(`${text}`, () => assert.deepEqual(parseTime(text), { seconds, nanos }))
  }

  test('of other forms, and of days that do not exist, is none', () => {
    for (const text of [
      ...[
        '',
        'yesterday',
        '2022',
        '20221229',
        '2022-13-01',
        '2022-02-30',
        '2023-02-29T00:00:00Z',
        '2022-12-29T',
        'T18:22',
      ],
      ...[
        '2022-12-29T24:00:00Z',
        '2022-12-29T18:60',
        '2022-12-29T18:22:61Z',
        '2022-12-29T18:22:32+24:00',
        '12/29/2022',
      ],
      ...[
        'Thu, 31 Feb 2022 18:22:32 GMT',
        'Thu, 29 Foo 2022 18:22:32 GMT',
        '2022-12-29T18',
        ` 2022-12-29${' '.repeat(200)}`,
      ],
    ]) {
      assert.equal(parseTime(text), null, text)
    }
  })
})

describe('a value as the timestamp of a record', () => {
  test('is read from numbers in their unit, times and parts', () => {
    assert.equal(recordTime('0x63addae8', 's'), AT * 1000)
    assert.equal(recordTime('1.672338152E9', 's'), AT * 1000)
    assert.equal(recordTime({ seconds: String(AT), nanos: 999_999_999 }, 'ms'), AT * 1000 + 999)
    assert.equal(recordTime({ seconds: BigInt(AT) }, 'ms'), AT * 1000)
    assert.equal(recordTime('2022-12-29T18:22:32.0019Z', 'ms'), AT * 1000 + 1)
    assert.equal(recordTime('2022-12-29T18:22:32.0019+00:00', 'ms'), AT * 1000 + 1)
  })

  test('is the same whichever way it is read', () => {
    for (let day = 0; day < 3 * 366; day++) {
      const text = `${new Date(Date.UTC(2023, 0, 1) + day * 86_400_000).toISOString().slice(0, 10)}T23:59:59.999`
      for (const zone of ['Z', '+14:00', '-09:30']) {
        const time = parseTime(text + zone)
        assert.equal(recordTime(text + zone, 'ms'), time!.seconds * 1000 + 999, text + zone)
      }
    }
    assert.equal(recordTime('2023-02-29T00:00:00Z', 'ms'), NaN)
    assert.equal(recordTime('2023-04-31T00:00:00Z', 'ms'), NaN)
  })

  test('is none outside 1970 to 9999, and for anything else; the text shows the value', () => {
    for (const value of [
      -1,
      AT * 1e6,
      '1969-12-31T23:59:59Z',
      true,
      null,
      undefined,
      {},
      [],
      { seconds: {} },
      '0x',
      'NaN',
    ]) {
      assert.equal(recordTime(value, 'ms'), NaN)
    }
    assert.match(
      noTimeText('a.b', { seconds: 'x' }, 'us'),
      /^a\.b holds no time .* 9999: \{"seconds":"x"\}; .* counts us /,
    )
    assert.match(noTimeText('a', 'x'.repeat(100), 'ms'), /: x{60}…;/)
  })
})
