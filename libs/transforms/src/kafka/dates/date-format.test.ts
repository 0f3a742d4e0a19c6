import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { dateFormat } from './date-format.ts'

// The answers are those of java.text.SimpleDateFormat, Java 17, en-US, UTC.
const now = (): number => Date.UTC(2026, 0, 1)
const formatted = (pattern: string, iso: string): string => dateFormat(pattern, now).format(Date.parse(iso))
const parsed = (pattern: string, text: string): string | null => {
  const ms = dateFormat(pattern, now).parse(text)
  return ms === null ? null : new Date(ms).toISOString()
}

describe('patterns of dates', () => {
  it('write every letter', () => {
    const all = 'G y yy yyyyy M MMM MMMM d E EEEE D F w W u a H k K h m s S SSS z zzzz Z X XXX'
    assert.equal(
      formatted(all, '2024-02-29T12:05:06.007Z'),
      'AD 2024 24 02024 2 Feb February 29 Thu Thursday 60 5 9 5 4 PM 12 12 0 12 5 6 7 007 UTC Coordinated Universal Time +0000 Z Z',
    )
    assert.equal(formatted("YYYY-'W'ww 'o''clock' ''", '2024-12-30T00:00:00Z'), "2025-W01 o'clock '")
    assert.equal(formatted('yyyy-MM-dd G', '1582-10-14T00:00:00Z'), '1582-10-04 AD')
    assert.equal(formatted('yyyy G', '-000001-06-01T00:00:00Z'), '0002 BC')
  })

  it('write another text as soon as it changes', () => {
    const format = dateFormat('dd HH')
    const texts = [0, 3_599_999, 3_600_000, -1, 0].map((ms) => format.format(ms))
    assert.deepEqual(texts, ['01 00', '01 00', '01 01', '31 23', '01 00'])
  })

  it('read leniently', () => {
    for (const [pattern, text, iso] of [
      ['yyyy-MM-dd', '2024-02-30', '2024-03-01T00:00:00.000Z'],
      ['yyyy-MM-dd', '2024-13-01 and more', '2025-01-01T00:00:00.000Z'],
      ['yyyyMMdd', '20240229', '2024-02-29T00:00:00.000Z'],
      ['yy', '26', '2026-01-01T00:00:00.000Z'],
      ['yy', '47', '1947-01-01T00:00:00.000Z'],
      ['hh:mm a', '12:30 am', '1970-01-01T00:30:00.000Z'],
      ['EEE, d MMM yyyy HH:mm:ss Z', 'thu, 29 february 2024 12:00:00 +0130', '2024-02-29T10:30:00.000Z'],
      ['yyyy z', '2024 GMT-2:00', '2024-01-01T02:00:00.000Z'],
      ['yyyy z', '2024 PDT', '2024-01-01T07:00:00.000Z'],
      ['HH:mmXXX', '01:00Z', '1970-01-01T01:00:00.000Z'],
      ['yyyy-DDD', '2023-366', '2024-01-01T00:00:00.000Z'],
      ["YYYY-'W'ww-u", '2025-W01-1', '2024-12-30T00:00:00.000Z'],
      ['yyyy MM F E', '2024 02 2 Thu', '2024-02-08T00:00:00.000Z'],
      ['SSS', '123456', '1970-01-01T00:02:03.456Z'],
      ['yyyy-MM-dd', '1582-10-04', '1582-10-14T00:00:00.000Z'],
    ] as const) {
      assert.equal(parsed(pattern, text), iso, `${pattern} ${text}`)
    }
  })

  it('refuse what does not match', () => {
    for (const [pattern, text] of [
      ['yyyy-MM-dd', '2024/02/29'],
      ['yyyy', ''],
      ['MMM', 'Foo'],
      ['X', '+25'],
      ['yyyy z', '2024 XYZ'],
    ] as const) {
      assert.equal(parsed(pattern, text), null, `${pattern} ${text}`)
    }
  })

  it('are refused as Java refuses them', () => {
    for (const [pattern, message] of [
      ['yyyy b', "Illegal pattern character 'b'"],
      ["'T", 'Unterminated quote'],
      ['XXXX', 'invalid ISO 8601 format: length=4'],
    ] as const) {
      assert.throws(() => dateFormat(pattern), { name: 'DatePatternError', message })
    }
  })
})
