import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret } from '@tributary/config'
import { CLOCK_SKEW_MS, InternalTokens, TOKEN_LIFE_MS, type VerifiedRequest } from './internal-token.ts'

const KEY = 'Zm9yIHRlc3RzIG9ubHksIDMyIGJ5dGVzIGxvbmch'
const ASKED = { method: 'PUT', path: '/internal/plugins/a/validate?x=1' }
const CLAIMS = { from: 'control-plane@a:1', to: 'b:2' }

function tokens(key = KEY, clock = { now: 1_000_000 }): InternalTokens {
  return new InternalTokens(
    key.split(',').map((one) => new Secret(one)),
    () => clock.now,
  )
}

function accepted(verified: VerifiedRequest | string): VerifiedRequest {
  if (typeof verified === 'string') assert.fail(verified)
  return verified
}

function refused(verified: VerifiedRequest | string): string {
  if (typeof verified !== 'string') assert.fail(`accepted from ${verified.from}`)
  return verified
}

test('a token says who sent the request and for whom, and covers its body', () => {
  const caller = { name: 'key:ci', grants: [] }
  const token = tokens().sign(ASKED, { ...CLAIMS, caller }, '{"a":"é"}')
  const { from, caller: read, hasBody } = accepted(tokens().verify(ASKED, token, 'b:2'))
  assert.deepEqual([from, read], [CLAIMS.from, caller])
  assert.deepEqual([hasBody('{"a":"é"}'), hasBody(Buffer.from('{"a":"é"}')), hasBody('')], [true, true, false])
})

test('no part of a signed request can be changed, and the key is not in the token', () => {
  const token = tokens().sign(ASKED, CLAIMS, '')
  const [version, text, mac] = token.split('.') as [string, string, string]
  assert.ok(!Buffer.from(text, 'base64url').includes(KEY) && !token.includes(KEY))
  const other = Buffer.from(text, 'base64url').toString().replace('control-plane@a:1', 'control-plane@x:1')
  const wrong = [
    tokens().verify({ ...ASKED, method: 'GET' }, token, 'b:2'),
    tokens().verify({ ...ASKED, path: '/internal/plugins/a/validate?x=2' }, token, 'b:2'),
    tokens().verify(ASKED, [version, Buffer.from(other).toString('base64url'), mac].join('.'), 'b:2'),
    tokens('another key').verify(ASKED, token, 'b:2'),
  ]
  for (const sentence of wrong.map(refused))
    assert.match(sentence, /was not signed with this cluster's TRIBUTARY_INTERNAL_KEY/)
  assert.match(refused(tokens().verify(ASKED, token, 'c:3')), /is for b:2, and this is c:3/)
  for (const none of [undefined, '', 'x', 'v1', 'v1.', `v2.${text}.${mac}`, [token, token], 'x'.repeat(1e6)]) {
    assert.equal(typeof tokens().verify(ASKED, none, 'b:2'), 'string', String(none).slice(0, 20))
  }
})

test('a token is good once, and for 30 s, whatever the clocks differ within five', () => {
  const clock = { now: 1_000_000 }
  const [sender, receiver] = [tokens(KEY, { now: 1_000_000 }), tokens(KEY, clock)]
  const token = sender.sign(ASKED, CLAIMS, '')
  accepted(receiver.verify(ASKED, token, 'b:2'))
  assert.match(refused(receiver.verify(ASKED, token, 'b:2')), /was used before/)
  for (const [aside, sentence] of [
    [-CLOCK_SKEW_MS, null],
    [-CLOCK_SKEW_MS - 1, /was signed 5 s after this process's present time: set the clocks/],
    [TOKEN_LIFE_MS + CLOCK_SKEW_MS, null],
    [TOKEN_LIFE_MS + CLOCK_SKEW_MS + 1, /was signed 35 s before/],
  ] as const) {
    clock.now = 1_000_000 + aside
    const verified = receiver.verify(ASKED, sender.sign(ASKED, CLAIMS, ''), 'b:2')
    if (sentence === null) accepted(verified)
    else assert.match(refused(verified), sentence)
  }
})

test('a token is remembered for as long as it is accepted', () => {
  const clock = { now: 1_000_000 }
  const both = tokens(KEY, clock)
  const token = both.sign(ASKED, CLAIMS, '')
  accepted(both.verify(ASKED, token, null))
  clock.now += TOKEN_LIFE_MS + CLOCK_SKEW_MS
  accepted(both.verify(ASKED, both.sign(ASKED, CLAIMS, ''), null))
  assert.match(refused(both.verify(ASKED, token, null)), /was used before/)
})

test('while the key is changed, processes with the old, both and the new key understand each other', () => {
  const pairs = [
    ['old', 'new,old'],
    ['new,old', 'old'],
    ['new,old', 'new'],
    ['new', 'new,old'],
  ] as const
  for (const [from, to] of pairs) accepted(tokens(to).verify(ASKED, tokens(from).sign(ASKED, CLAIMS, ''), 'b:2'))
  assert.equal(typeof tokens('old').verify(ASKED, tokens('new').sign(ASKED, CLAIMS, ''), 'b:2'), 'string')
})

test('the setting holds one key or two', () => {
  assert.equal(InternalTokens.from(null), null)
  const [one, two] = ['new', ' new , old '].map((key) => InternalTokens.from(new Secret(key))!)
  accepted(one!.verify(ASKED, two!.sign(ASKED, CLAIMS, ''), null))
  assert.deepEqual([one!.isWeak, tokens().isWeak], [true, false])
  for (const wrong of ['a,b,c', 'a,', ',']) assert.throws(() => InternalTokens.from(new Secret(wrong)), /internal\.key/)
})
