import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseJson } from '@tributary/config'
import { ConfigError } from '@tributary/connect-api'
import { compileRule, type Readable } from './rule.ts'

function messageOf(text: string): Readable {
  try {
    return { text, json: parseJson(text) }
  } catch {
    return { text, json: undefined }
  }
}

const matches = (rule: string, text: string): boolean => compileRule(rule, 'k')(messageOf(text))

describe('a rule', () => {
  const cases: readonly (readonly [rule: string, message: string, matches: boolean])[] = [
    ['event == subscribed', '{"event":"subscribed"}', true],
    ['event == subscribed', '{"event":"error"}', false],
    ['event==subscribed', '{"event":"subscribed"}', true],
    ['a.0.b == 7', '{"a":[{"b":7}]}', true],
    ['1 == hb', '[17,"hb"]', true],
    ['id == 1', '{"id":"1"}', true],
    ['id == "1"', '{"id":"1"}', true],
    ['id == "1"', '{"id":1}', false],
    ["text == 'it\\'s'", '{"text":"it\'s"}', true],
    ['text == "a && b || c"', '{"text":"a && b || c"}', true],
    ['success == true', '{"success":true}', true],
    ['result == null && id == 1', '{"result":null,"id":1}', true],
    ['result == null', '{"id":1}', false],
    ['id == 90071992547409931', '{"id":90071992547409931}', true],
    ['event != error', '{"event":"ok"}', true],
    ['event != error', '{"event":"error"}', false],
    ['event != error', '{}', true],
    ['ping', '{"ping":0}', true],
    ['ping', '{"ping":false}', false],
    ['error', '{"error":null}', false],
    ['!error', '{"error":null}', true],
    ['! error', '{"error":"bad"}', false],
    ['/^pong$/', 'pong', true],
    ['/^pong$/', 'pongs', false],
    ['/PONG/i', 'a pong', true],
    ['/[/]x\\/&&/', 'a/x/&&', true],
    ['a == 1 && b == 2 || c == 3', '{"c":3}', true],
    ['a == 1 && b == 2 || c == 3', '{"a":1,"b":3}', false],
    ['c == 3 || a == 1 && b == 2', '{"a":1,"b":2}', true],
    ['ping', 'ping', true],
    ['ping', '"ping"', false],
    ['ping', 'pings', false],
    ['!ping', 'ping', false],
    ['!ping', '{}', true],
    ['2', '2', true],
    ['2', '23', false],
    ['o || h', 'h', true],
    ['event', 'not json', false],
    ['event != x', 'not json', true],
    ['$.data.type == snapshot', '{"data":{"type":"snapshot"}}', true],
    ['constructor', '{}', false],
  ]
  for (const [rule, message, wanted] of cases) {
    test(`${rule} ${wanted ? 'matches' : 'does not match'} ${message}`, () => {
      assert.equal(matches(rule, message), wanted)
    })
  }

  test('does not match bytes that are not text', () => {
    assert.equal(compileRule('/./', 'k')({ text: null, json: undefined }), false)
  })

  test('keeps no state between messages', () => {
    const rule = compileRule('/a/', 'k')
    assert.deepEqual(
      [1, 2, 3].map(() => rule(messageOf('a'))),
      [true, true, true],
    )
  })

  test('that is a text of several words is refused with the right form', () => {
    assert.throws(() => compileRule('heartbeat ok', 'k'), { message: /write \/\^text\$\/ to match the whole text/ })
  })

  test('a rule that would go back takes linear time, and says which messages are too long for it', () => {
    const rule = compileRule('/^(a+)+$/', 'record.skip.match')
    const ask = (text: string): boolean => rule({ text, json: undefined })
    assert.equal(ask(`${'a'.repeat(1_000_000)}b`), false)
    assert.throws(
      () => ask('a'.repeat(40_000_000)),
      (error) =>
        error instanceof ConfigError &&
        /in record\.skip\.match reads messages of up to \d+ characters/.test(error.message),
    )
  })

  for (const bad of [
    '',
    '   ',
    'a ==',
    'a == && b',
    '&& a',
    'a ||',
    'a b',
    '/x',
    '/(/',
    '/a(?=b)/',
    '/(a)\\1/',
    '/a++/',
    '/x/g',
    '/x/qq',
    '== 1',
    '!',
    'a = 1',
    'a == "x',
  ]) {
    test(`'${bad}' is refused on its key`, () => {
      assert.throws(
        () => compileRule(bad, 'websocket.auth.ack.match'),
        (error) =>
          error instanceof ConfigError &&
          error.code === 'WEBSOCKET_RULE' &&
          error.field === 'websocket.auth.ack.match' &&
          error.message.includes('websocket.auth.ack.match'),
      )
    })
  }
})
