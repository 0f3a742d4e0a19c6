import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ConfigException } from '../values/config-exception.ts'
import { resolveReferences } from './providers.ts'
import { redactor, secretsOf } from './redact.ts'
import { defineConfig } from '../spec/define.ts'
import { hasReferences } from '../values/references.ts'

const folder = mkdtempSync(join(tmpdir(), 'tributary-config-'))
after(() => rmSync(folder, { recursive: true }))
const secrets = join(folder, 'secrets.properties')
writeFileSync(secrets, '# a comment\napi.token = s3cr3t-token\nempty =\n')
writeFileSync(join(folder, 'password'), 'from-a-file\n')
mkdirSync(join(folder, 'sub'))

const resolveOne = (value: string, env: Record<string, string> = {}): string | undefined =>
  resolveReferences({ k: value }, env).props['k']

test('a file, a variable and a folder give values, inside a text too', () => {
  assert.equal(resolveOne(`Bearer \${file:${secrets}:api.token}!`), 'Bearer s3cr3t-token!')
  assert.equal(resolveOne('${env:USER_NAME}', { USER_NAME: 'me' }), 'me')
  assert.equal(resolveOne(`\${dir:${folder}:password}`), 'from-a-file\n')
})

test('a reference to something unknown stays unchanged', () => {
  const texts = [
    '${vault:a:b}',
    '${env:NONE}',
    '${env:constructor}',
    `\${file:${secrets}:none}`,
    '${file::x}',
    `\${dir:${folder}:none}`,
    `\${dir:${folder}:sub}`,
    `\${dir:${folder}/sub:../password}`,
    '${dir:/none:x}',
    'no $ {ref}',
  ]
  for (const text of texts) assert.equal(resolveOne(text), text)
})

test('a file that cannot be read is an error on the key, with the text of Connect', () => {
  assert.throws(
    () => resolveReferences({ 'my.key': '${file:/none:k}' }, {}),
    (error: unknown) => {
      assert.ok(error instanceof ConfigException)
      assert.equal(error.message, 'Could not read properties from file /none')
      assert.equal(error.errors[0]?.name, 'my.key')
      return true
    },
  )
})

test('a variable takes no path', () => {
  assert.throws(() => resolveOne('${env:p:NAME}'), /Path is not supported for EnvVarConfigProvider, invalid value 'p'/)
})

test('an inserted value is not searched for references', () => {
  assert.equal(resolveOne('${env:A}', { A: '${env:B}', B: 'x' }), '${env:B}')
})

test('folders and variables can be limited to a list', () => {
  const options = { allowedPaths: [join(folder, 'sub')], envAllowlist: 'OPEN_.*' }
  const props = {
    a: `\${file:${secrets}:api.token}`,
    b: `\${dir:${folder}/sub/..:password}`,
    c: '${env:SHUT}',
    d: '${env:OPEN_1}',
  }
  const { props: resolved } = resolveReferences(props, { SHUT: 'x', OPEN_1: 'y' }, options)
  assert.deepEqual(resolved, { ...props, d: 'y' })
})

test('references are recognised', () => {
  assert.ok(hasReferences('a ${env:X}'))
  for (const text of ['', '${}', '${x}', '${env:X', '$env:X}']) assert.ok(!hasReferences(text), text)
})

test('given values and declared secrets are removed from a text in all their written forms', () => {
  const spec = defineConfig(
    {
      pass: { type: 'password', importance: 'low', doc: 'd' },
      plain: { type: 'string', importance: 'low', doc: 'd' },
      hidden: { type: 'string', sensitive: true, importance: 'low', doc: 'd' },
    },
    { prefixes: { 'h.': { importance: 'low', doc: 'd', type: 'password' } } },
  )
  const props = { pass: ' pa"ss wörd ', plain: 'plain', hidden: '${env:H}', 'h.auth': 'header-secret' }
  const resolved = resolveReferences(props, { H: 'provided' })
  const redact = redactor([...secretsOf(spec.data, resolved.props), ...resolved.secrets])
  const secret = 'pa"ss wörd'
  const text = `${secret} ${JSON.stringify(secret)} ${encodeURIComponent(secret)} ${Buffer.from(secret).toString('base64')} provided header-secret plain`
  assert.equal(
    redact(text),
    '[hidden] "[hidden]" [hidden] [hidden]== [hidden] [hidden] plain'.replace(
      '==',
      Buffer.from(secret).toString('base64').replace(/[^=]/g, ''),
    ),
  )
})

test('the longest secret is replaced first, and short secrets are not replaced', () => {
  assert.equal(redactor(['secret', 'secret-long', '1', 'on'])('1 on secret-long secret'), '1 on [hidden] [hidden]')
  assert.equal(redactor([])('x'), 'x')
})
