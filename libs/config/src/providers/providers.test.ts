import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import fs from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { ConfigException } from '../values/config-exception.ts'
import { type ConfigProviders, type Env, resolveReferences } from './providers.ts'
import { readRegularFile } from './read-file.ts'
import { secretsOf } from './secrets-of.ts'
import { defineConfig } from '../spec/define.ts'
import { hasReferences } from '../values/references.ts'
import { providerSettings, providersFrom } from '../service/provider-settings.ts'

const folder = mkdtempSync(join(tmpdir(), 'tributary-config-'))
after(() => rmSync(folder, { recursive: true }))
const allowed = join(folder, 'allowed')
mkdirSync(join(allowed, 'sub'), { recursive: true })
const secrets = join(allowed, 'secrets.properties')
writeFileSync(secrets, '# a comment\napi.token = s3cr3t-token\nempty =\n')
writeFileSync(join(allowed, 'password'), 'from-a-file\n')
writeFileSync(join(folder, 'outside.properties'), 'k=v\n')
writeFileSync(join(allowed, 'large'), Buffer.alloc(1024 * 1024 + 1, 'x'))
symlinkSync(join(folder, 'outside.properties'), join(allowed, 'link'))
symlinkSync('sub', join(allowed, 'link-inside'))
writeFileSync(join(allowed, 'sub', 'token'), 'inside')
execFileSync('mkfifo', [join(allowed, 'pipe')])

const PATHS = 'config.providers.file.param.allowed.paths'
const PATTERN = 'config.providers.env.param.allowlist.pattern'
const parse = (props: Record<string, string>): ConfigProviders =>
  providersFrom(defineConfig(providerSettings).parse(props), {})
const providersOf = (env: Env = {}, paths = allowed): ConfigProviders => {
  const props = {
    'config.providers': 'file,dir,env',
    [PATHS]: paths,
    'config.providers.dir.param.allowed.paths': paths,
    [PATTERN]: '.*',
  }
  return providersFrom(defineConfig(providerSettings).parse(props), env)
}
const resolveOne = async (value: string, providers = providersOf()): Promise<string | undefined> =>
  (await resolveReferences({ 'my.key': value }, providers)).props['my.key']
const refused = (value: string, message: RegExp, providers = providersOf()): Promise<void> =>
  assert.rejects(resolveOne(value, providers), (error: unknown) => {
    assert.ok(error instanceof ConfigException)
    assert.match(error.message, message)
    assert.equal(error.errors[0]?.name, 'my.key')
    return true
  })

test('a file, a variable and a folder give values, inside a text too', async () => {
  assert.equal(await resolveOne(`Bearer \${file:${secrets}:api.token}!`), 'Bearer s3cr3t-token!')
  assert.equal(await resolveOne('${env:USER_NAME}', providersOf({ USER_NAME: 'me' })), 'me')
  assert.equal(await resolveOne(`\${dir:${allowed}:password}`), 'from-a-file\n')
})

test('a relative path is looked for in the allowed folders, and a link within them is followed', async () => {
  assert.equal(await resolveOne('${file:secrets.properties:api.token}'), 's3cr3t-token')
  assert.equal(await resolveOne('${file:secrets.properties:api.token}', providersOf({}, `${folder},${allowed}`)), 's3cr3t-token') // prettier-ignore
  assert.equal(await resolveOne(`\${dir:${allowed}/link-inside:token}`), 'inside')
})

test('a reference to something unknown stays unchanged', async () => {
  const texts = [
    '${vault:a:b}',
    '${env:NONE}',
    '${env:constructor}',
    `\${file:${secrets}:none}`,
    '${file::x}',
    `\${dir:${allowed}:none}`,
    `\${dir:${allowed}/sub:../password}`,
    'no $ {ref}',
  ]
  for (const text of texts) assert.equal(await resolveOne(text), text)
})

test('a file that cannot be read is an error on the key, with the text of Connect', async () => {
  await assert.rejects(resolveReferences({ 'my.key': `\${file:${allowed}/none:k}` }, providersOf()), {
    message: `Could not read properties from file ${allowed}/none`,
  })
  await refused(`\${dir:${allowed}:sub}`, /Could not read file .* no regular file/)
})

describe('what a user may name', () => {
  for (const device of ['/dev/ptmx', '/dev/zero', '/dev/stdin', '/proc/self/environ', '/sys/kernel/uevent_seqnum']) {
    test(`${device} is not read, not even where every folder is allowed`, async () => {
      await refused(`\${file:${device}:x}`, /nobody may read files in \/proc, \/sys, \/dev/, providersOf({}, '/'))
    })
  }

  test('a pipe, a file above 1 MiB and a folder are refused at once', async () => {
    await refused(`\${file:${allowed}/pipe:x}`, /Could not read .*: it is no regular file/)
    await refused(`\${file:${allowed}/large:x}`, /Could not read .*: it is larger than 1048576 bytes/)
    await refused(`\${file:${allowed}/sub:x}`, /it is no regular file/)
  })

  test('a device is refused before it is opened, and a file that claims to be empty is bounded', async () => {
    await assert.rejects(readRegularFile('/dev/ptmx'), /it is no regular file/)
    await assert.rejects(readRegularFile('/proc/self/maps', { maxBytes: 10 }), /larger than 10 bytes/)
  })

  test('a read ends with its signal', async () => {
    const reason = new Error('the request was cancelled')
    const signal = AbortSignal.abort(reason)
    await assert.rejects(resolveReferences({ k: `\${file:${secrets}:x}` }, providersOf(), signal), reason)
  })

  test('places outside of the allowed ones, and links to them, are refused', async () => {
    await refused(`\${file:${folder}/outside.properties:k}`, /lies outside of the allowed\.paths/)
    await refused(`\${file:${allowed}/../outside.properties:k}`, /lies outside of the allowed\.paths/)
    await refused('${file:../outside.properties:k}', /lies outside of the allowed\.paths/)
    await refused(`\${file:${allowed}/link:k}`, /it is a link to a place outside of the allowed\.paths/)
    await refused('${dir:/etc:passwd}', /lies outside of the allowed\.paths/)
    await refused(`\${file:${allowed}x:k}`, /lies outside of the allowed\.paths/)
  })

  test('only variables whose whole name matches are read, and none that configures the service', async () => {
    const env = { OPEN_1: 'y', SHUT_OPEN_1: 'x', TRIBUTARY_INTERNAL_KEY: 'k', KAFKA_SASL_PASSWORD: 'p' }
    const settings = { 'config.providers': 'env', [PATTERN]: 'OPEN_.*|TRIBUTARY_.*' }
    const providers = providersFrom(defineConfig(providerSettings).parse(settings), env)
    assert.equal(await resolveOne('${env:OPEN_1}', providers), 'y')
    await refused('${env:SHUT_OPEN_1}', /may not read SHUT_OPEN_1: .*allowlist\.pattern/, providers)
    await refused('${env:TRIBUTARY_INTERNAL_KEY}', /a setting of the service/, providers)
    await refused('${env:KAFKA_SASL_PASSWORD}', /a setting of the service/, providersOf(env))
  })

  test("the login of a connector's producer is read from the variables that documents name", async () => {
    const env = { KAFKA_USERNAME: 'u', KAFKA_PASSWORD: 'p', KAFKA_PASSWORD_FILE: 'f' }
    const settings = { 'config.providers': 'env', [PATTERN]: 'KAFKA_.*' }
    const providers = providersFrom(defineConfig(providerSettings).parse(settings), env)
    assert.equal(await resolveOne('${env:KAFKA_USERNAME}/${env:KAFKA_PASSWORD}', providers), 'u/p')
    await refused('${env:KAFKA_PASSWORD_FILE}', /a setting of the service/, providers)
  })

  test('a provider that is not configured is off, and the error says how it is switched on', async () => {
    for (const reference of ['${file:/etc/passwd:root}', '${dir:/etc:passwd}', '${env:HOME}', '${directory:/etc:x}']) {
      await refused(
        reference,
        /The config provider \w+ is off on this worker: add \w+ to its setting config\.providers/,
        {},
      )
    }
  })

  test('a provider without limits is refused at the start', () => {
    assert.throws(() => parse({ 'config.providers': 'file' }), /set config\.providers\.file\.param\.allowed\.paths/)
    assert.throws(() => parse({ 'config.providers': 'env' }), /set config\.providers\.env\.param\.allowlist\.pattern/)
    assert.throws(() => parse({ 'config.providers': 'env', [PATTERN]: '(' }), /Invalid value \( for configuration/)
    assert.throws(() => parse({ 'config.providers': 'vault' }), /There is no config provider vault/)
  })
})

test('a variable takes no path', () =>
  refused('${env:p:NAME}', /Path is not supported for EnvVarConfigProvider, invalid value 'p'/))

test('an inserted value is not searched for references', async () => {
  assert.equal(await resolveOne('${env:A}', providersOf({ A: '${env:B}', B: 'x' })), '${env:B}')
})

test('each resolution reads the files anew', async () => {
  const token = join(allowed, 'token.properties')
  writeFileSync(token, 't=old\n')
  assert.equal(await resolveOne(`\${file:${token}:t}`), 'old')
  writeFileSync(token, 't=new\n')
  assert.equal(await resolveOne(`\${file:${token}:t}`), 'new')
})

test('references are recognised', () => {
  assert.ok(hasReferences('a ${env:X}'))
  for (const text of ['', '${}', '${x}', '${env:X', '$env:X}']) assert.ok(!hasReferences(text), text)
})

test('secrets are the values of passwords, sensitive keys and families, of a list of headers each value, and logins of URLs', () => {
  const spec = defineConfig(
    {
      pass: { type: 'password', importance: 'low', doc: 'd' },
      plain: { type: 'string', importance: 'low', doc: 'd' },
      hidden: { type: 'string', sensitive: true, importance: 'low', doc: 'd' },
      headers: { type: 'string', validator: { kind: 'keyValueList' }, sensitive: true, importance: 'low', doc: 'd' },
    },
    { prefixes: { 'h.': { importance: 'low', doc: 'd', type: 'password' } } },
  )
  const props = {
    pass: ' a b ',
    plain: 'ws://me:pw@host/x,ws://host',
    hidden: 'c',
    'h.auth': 'd',
    headers: 'X:1,Y:"2,3"',
  }
  assert.deepEqual(secretsOf(spec.data, props), [' a b ', '://me:pw@', 'c', 'd', '1', '2,3'])
  assert.deepEqual(secretsOf(spec.data, { headers: 'no colon', unknown: 'x' }), ['no colon'])
  const converter = { 'value.converter.basic.auth.user.info': 'u:p', 'value.converter.schema.registry.url': 'x' }
  assert.deepEqual(secretsOf(spec.data, converter), ['u:p'])
})

test('a mount that hangs while links are followed is given up after five seconds', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const hang = t.mock.method(fs, 'realpath', () => new Promise(() => {}))
  syncBuiltinESMExports()
  try {
    for (const value of [`\${file:${secrets}:api.token}`, `\${dir:${allowed}:password}`]) {
      const given = refused(value, /it was not read within 5000 ms/)
      await new Promise((resolve) => setImmediate(resolve))
      t.mock.timers.tick(5000)
      await given
    }
  } finally {
    hang.mock.restore()
    syncBuiltinESMExports()
  }
})
