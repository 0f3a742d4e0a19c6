import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hideSecrets, redact } from './redaction.ts'

/** What `redact` makes of a text while these secrets are known. */
function hidden(secrets: readonly string[], text: string): string {
  const end = hideSecrets(secrets)
  try {
    return redact(text)
  } finally {
    end()
  }
}

const TOKEN = 'qZ7_kW-93xTfLm2/Vb+8RsYc0dJhNgUe41PaXo6iMtEwCyKr5BvSzDlGuHqFjOnIp'
const ODD = 'pä"s\\w ö&rd%/?=7'

const ENCODINGS: Readonly<Record<string, (secret: string) => string>> = {
  plain: (secret) => secret,
  'upper case': (secret) => secret.toUpperCase(),
  'lower case': (secret) => secret.toLowerCase(),
  hex: (secret) => Buffer.from(secret).toString('hex'),
  'hex in upper case': (secret) => Buffer.from(secret).toString('hex').toUpperCase(),
  base64: (secret) => Buffer.from(secret).toString('base64'),
  'base64 after one byte': (secret) => Buffer.from(`:${secret}`).toString('base64'),
  'base64 after two bytes': (secret) => Buffer.from(`u:${secret}`).toString('base64'),
  'base64 of a login': (secret) => Buffer.from(`user:${secret}@host`).toString('base64'),
  'base64 of a login that a form has encoded': (secret) =>
    Buffer.from(`id:${new URLSearchParams([['', secret]]).toString().slice(1)}`).toString('base64'),
  base64url: (secret) => Buffer.from(`user:${secret}`).toString('base64url'),
  URL: encodeURIComponent,
  'URL with all characters': (secret) =>
    [...Buffer.from(secret)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  'URL twice': (secret) => encodeURIComponent(encodeURIComponent(secret)),
  form: (secret) => new URLSearchParams({ token: secret }).toString(),
  JSON: (secret) => JSON.stringify({ token: secret }),
  'JSON in JSON': (secret) => JSON.stringify({ error: JSON.stringify({ token: secret }) }),
  'JSON in ASCII': (secret) => JSON.stringify(secret).replaceAll(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`), // prettier-ignore
  'base64 in a URL': (secret) => encodeURIComponent(Buffer.from(secret).toString('base64')),
}

for (const [name, encode] of Object.entries(ENCODINGS))
  test(`a secret is hidden in this form: ${name}`, () => {
    for (const secret of [TOKEN, ODD]) {
      const shown = hidden([secret], `refused: ${encode(secret)} is wrong`)
      assert.match(shown, /^refused: \S*\[hidden\]\S* is wrong$/)
      for (let at = 0; at + 8 <= secret.length; at++) {
        const part = encode(secret.slice(at, at + 8)).replace(/^[{"a-z=]*(?=.{8})/, '')
        assert.ok(!shown.includes(part), part)
      }
    }
  })

test('a beginning or an end of a secret is hidden from eight characters on, in each of its forms', () => {
  for (const encode of [ENCODINGS['plain']!, ENCODINGS['hex']!, ENCODINGS['base64']!, ENCODINGS['upper case']!]) {
    // The last character of base64 depends on what follows.
    const text = encode === ENCODINGS['base64'] ? encode(TOKEN).slice(0, -2) : encode(TOKEN)
    for (let length = 8; length <= text.length; length++) {
      assert.equal(hidden([TOKEN], `token ${text.slice(0, length)}…`), 'token [hidden]…', `first ${length} of ${text}`)
    }
    for (let length = 8; length <= text.length; length++) {
      assert.equal(hidden([TOKEN], `…${text.slice(-length)}|`), '…[hidden]|', `last ${length} of ${text}`)
    }
  }
  assert.equal(hidden([TOKEN], `token ${TOKEN.slice(0, 7)}…`), `token ${TOKEN.slice(0, 7)}…`)
})

test('secrets within a value are hidden one by one: PEM, JSON, headers, URLs, JAAS, logins', () => {
  const pem = `-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\nVJTUt9Us8cKjMzEfYyjiWA4R4\n-----END PRIVATE KEY-----\n`
  for (const [value, secret] of [
    [pem, 'VJTUt9Us8cKjMzEfYyjiWA4R4'],
    [`{"op":"login","password":"a\\"b-${TOKEN}"}`, `a"b-${TOKEN}`],
    [`X-Feed: orders, Authorization: Bearer ${TOKEN}`, TOKEN],
    [`Basic ${Buffer.from(`me:${ODD}`).toString('base64')}`, ODD],
    [`https://me:${encodeURIComponent(ODD)}@example.com/path`, ODD],
    [`https://example.com/path?api_key=${encodeURIComponent('k-0123456789')}&x=1`, 'k-0123456789'],
    [`org.example.ScramLoginModule required username="me" password="${TOKEN}";`, TOKEN],
    ['me:the-long-password', 'the-long-password'],
    ['CONNECT\npasscode:three-words\n', 'three-words'],
  ] as const) {
    const shown = hidden([value], `the server says ${secret.slice(0, -1)} and ${secret}.`)
    assert.match(shown, /^the server says \[hidden\].? and \[hidden\]\.$/, value)
    const basic = Buffer.from(`me:${secret}`).toString('base64')
    assert.match(
      hidden([value], `Basic ${basic}!`),
      /^Basic \w{2,6}\[hidden\]\w{0,2}=*!$|^(Basic )?\[hidden\]\w?=*!$/,
      value,
    )
  }
})

test('texts around secrets stay as they are', () => {
  const sentence = 'The password in {"op":"login"} for https://example.com/v1 must follow -----BEGIN PRIVATE KEY-----.'
  const secrets = [
    'password-123',
    '{"op":"login","password":"other-words"}',
    'https://example.com/v1?token=abcdefgh',
    '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG\n-----END PRIVATE KEY-----',
    '/etc/tributary/key.pem',
  ]
  assert.equal(hidden(secrets, sentence), sentence)
  assert.equal(hidden(secrets, '/etc/tributary/other.pem'), '/etc/tributary/other.pem')
  assert.equal(hidden(secrets, 'x /etc/tributary/key.pem'), 'x [hidden]')
  assert.equal(hidden(['password'], 'the password'), 'the [hidden]')
  assert.equal(hidden([], 'x'), 'x')
})

test('a secret of fewer than four characters is hidden where the text names it, and nowhere else', () => {
  const secrets = ['on', '1', 'é!']
  for (const [text, shown] of [
    ['password=on&x=1', 'password=[hidden]&x=1'],
    ['{"token":"on","state":"on","n":1}', '{"token":"[hidden]","state":"on","n":1}'],
    [String.raw`{\"api_key\": \"1\"}`, String.raw`{\"api_key\": \"[hidden]\"}`],
    ['password é!.', 'password [hidden].'],
    ['ws://user:on@host/on', 'ws://user:[hidden]@host/on'],
    ['Authorization: Bearer on', 'Authorization: Bearer [hidden]'],
    [`Authorization: Basic ${btoa('user:on')}`, 'Authorization: Basic [hidden]'],
    [`Authorization: Basic ${btoa('user:off')}`, `Authorization: Basic ${btoa('user:off')}`],
    ['on', '[hidden]'],
    ['password only', 'password only'],
    ['it goes on at 1 o’clock', 'it goes on at 1 o’clock'],
  ] as const) {
    assert.equal(hidden(secrets, text), shown)
  }
})

test('a secret is hidden until everyone who gave it has ended', () => {
  const [first, second] = [hideSecrets([TOKEN]), hideSecrets([TOKEN, TOKEN, 'pw'])]
  first()
  first()
  assert.equal(redact(TOKEN), '[hidden]')
  second()
  assert.equal(redact(TOKEN), TOKEN)
  assert.equal(redact('password=pw'), 'password=pw')
})

test('a value of a megabyte is found by its beginning and its end', () => {
  const value = Array.from({ length: 60_000 }, (_, i) => `${i}-${TOKEN.slice(i % 40, (i % 40) + 8)}`).join('')
  assert.equal(hidden([value], `x ${value.slice(0, 200)}`), 'x [hidden]')
  assert.equal(hidden([value], `${value.slice(-200)} x`), '[hidden] x')
})
