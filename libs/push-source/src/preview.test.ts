import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hideSecrets } from '@tributary/telemetry'
import { preview } from './preview.ts'

test('secrets are masked before the text is cut', () => {
  const text = `{"op":"login","pad":"${'x'.repeat(60)}","apiKey":"abcdefghijklmnopqrstuvwxyz"}`
  assert.match(preview(text, 100), /^.{93}\[hidden…$/)
  assert.doesNotMatch(preview(text, 200), /abc/)
})

for (const [text, shown] of [
  ['{"op":"subscribe","args":["trades"]}', '{"op":"subscribe","args":["trades"]}'],
  ['{"a":{"password":"p"},"b":[{"Token":{"x":1}}]}', '{"a":{"password":"[hidden]"},"b":[{"Token":"[hidden]"}]}'],
  ['{"authorization":"Bearer abc.def","x":"Bearer ab-c"}', '{"authorization":"[hidden]","x":"Bearer [hidden]"}'],
  ['login token=abc&x=1', 'login token=[hidden]&x=1'],
  ['AUTH Bearer abc.def==', 'AUTH Bearer [hidden]'],
  ['{"secret":"s", broken', '{"secret":[hidden], broken'],
  ['CONNECT\npasscode:x\npassword:pw\n', 'CONNECT\npasscode:[hidden]\npassword:[hidden]\n'],
] as const) {
  test(`${JSON.stringify(text)} is shown without secrets`, () => assert.equal(preview(text, 1000), shown))
}

test('a secret that the server has cut at its start, and the preview would cut at its end, is hidden', () => {
  const secret = 'cnry1a2b3c4d5e6f7g8h9k0m1n2p3q4r5s'
  const end = hideSecrets([secret])
  try {
    for (const form of [secret, Buffer.from(secret).toString('base64')]) {
      const shown = preview(`refused ${form.slice(5)}`, 24)
      assert.match(shown, /^refused \[hidden\]\w?=*$/)
    }
  } finally {
    end()
  }
})
