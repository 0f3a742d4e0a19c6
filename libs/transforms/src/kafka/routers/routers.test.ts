import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compilePattern } from '@tributary/config'
import { applied, record } from '../support/for-tests.ts'
import { regexRouter } from './regex-router.ts'
import { parseReplacement } from './replacement.ts'
import { timestampRouter } from './timestamp-router.ts'

describe('RegexRouter', () => {
  const routed = (regex: string, replacement: string, topic: string): string =>
    applied(regexRouter, { regex, replacement }, { topic }).topic

  it('replaces as Java does', () => {
    assert.equal(routed('(.*)-(?<r>eu|us)', '${r}.$1', 'orders-eu'), 'eu.orders')
    assert.equal(routed('orders', 'x', 'orders-eu'), 'orders-eu')
    // The whole topic matches the second alternative, and the first one is found.
    assert.equal(routed('a|ab', 'x', 'ab'), 'xb')
    assert.equal(routed('(o)(x)?.*', '<$1$2>', 'orders'), '<o>')
    assert.equal(routed('(o).*', '$12', 'orders'), 'o2')
    assert.equal(routed('.*', '\\$1\\\\', 'orders'), '$1\\')
  })

  it('returns the record itself if its topic stays', () => {
    const given = record({})
    assert.equal(regexRouter.create({ regex: 'x', replacement: 'y' }).apply(given), given)
  })

  it('refuses replacements in the words of Java', () => {
    const pattern = compilePattern('(a)(?<b>b)')
    for (const [text, message] of [
      ['$', 'Illegal group reference: group index is missing'],
      ['$x', 'Illegal group reference'],
      ['$3', 'No group 3'],
      ['${c}', 'No group with name {c}'],
      ['${b', "named capturing group is missing trailing '}'"],
      ['\\', 'character to be escaped is missing'],
    ] as const) {
      assert.throws(() => parseReplacement(text, pattern), { name: 'ReplacementError', message })
    }
    assert.throws(() => routed('.*', '$1', 'x'), { code: 'TRANSFORM_CONFIG', field: 'replacement' })
  })

  it('refuses expressions that could take longer than linear time', () => {
    const message =
      /^Invalid value \(a\)\\1 for configuration regex: Invalid regex: \\1 in the regular expression refers back/
    assert.throws(() => regexRouter.create({ regex: '(a)\\1', replacement: 'x' }), { field: 'regex', message })
  })
})

describe('TimestampRouter', () => {
  it('refuses a time beyond the calendar', () => {
    const router = timestampRouter.create({})
    assert.throws(() => router.apply(record({ timestamp: 8.7e15 })), { code: 'TRANSFORM_DATA', message: /275760$/ })
  })

  it('puts topic and time into the format', () => {
    const config = { 'topic.format': '${timestamp}/${topic}/${topic}', 'timestamp.format': 'yyyy' }
    assert.equal(applied(timestampRouter, config, { topic: '$&', timestamp: 0 }).topic, '1970/$&/$&')
    assert.equal(applied(timestampRouter, {}, { timestamp: 86_400_000 }).topic, 'orders-19700102')
  })

  it('fails without a timestamp, and refuses a pattern that Java refuses', () => {
    assert.throws(() => applied(timestampRouter, {}, {}), { message: /^Timestamp missing on record: / })
    assert.throws(() => timestampRouter.create({ 'timestamp.format': "'" }), { message: /: Unterminated quote$/ })
  })
})
