import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { systemClock } from '@tributary/async'
import { readSettings } from '../settings/read.ts'
import { type Credentials, credentialSource, SharedCredentials } from './credentials.ts'
import { connections } from './http.ts'
import { awsSettings } from './settings.ts'

const MINUTE_MS = 60_000

/** Credentials that are good for an hour, numbered; `fail` makes the next ones an error. */
function scene() {
  let now = 0
  let made = 0
  const state = { fail: false }
  const source = (): Promise<Credentials> => {
    if (state.fail) return Promise.reject(new Error('STS is away'))
    return Promise.resolve({
      accessKeyId: `${++made}`,
      secretAccessKey: 's',
      expiration: new Date(now + 60 * MINUTE_MS),
    })
  }
  const shared = new SharedCredentials(source, { ...systemClock, now: () => now })
  const get = async (): Promise<string> => (await shared.provider()).accessKeyId
  return { shared, get, state, at: (minutes: number) => (now = minutes * MINUTE_MS) }
}

describe('shared credentials', () => {
  test('are asked for once by many requests, and the SDK keeps no copy', async () => {
    const { shared, get } = scene()
    assert.deepEqual(await Promise.all([get(), get(), get()]), ['1', '1', '1'])
    assert.equal(shared.provider.memoized, true)
  })

  test('are renewed five minutes before they expire, beside the requests', async () => {
    const { get, at } = scene()
    await get()
    at(54)
    assert.equal(await get(), '1')
    at(56)
    assert.equal(await get(), '1')
    assert.equal(await get(), '2')
  })

  test('serve until they expire while they cannot be renewed; then the request has the error', async () => {
    const { get, at, state } = scene()
    await get()
    state.fail = true
    at(58)
    assert.equal(await get(), '1')
    await new Promise(setImmediate)
    assert.equal(await get(), '1')
    at(60)
    await assert.rejects(get(), /STS is away/)
    state.fail = false
    assert.equal(await get(), '2')
  })

  test('that AWS calls expired are asked for again', async () => {
    const { shared, get } = scene()
    await get()
    shared.forget()
    assert.equal(await get(), '2')
  })
})

describe('the source of credentials', () => {
  const source = async (props: Record<string, string>) => {
    const settings = awsSettings(readSettings({ 'sqs.queue.url': 'q', 'kafka.topic': 't', ...props }))
    return credentialSource(settings, connections(settings))
  }

  test('a static key comes first, with its session token', async () => {
    const get = await source({ 'aws.access.key.id': 'A', 'aws.secret.access.key': 'B', 'aws.session.token': 'C' })
    assert.deepEqual(await get(), { accessKeyId: 'A', secretAccessKey: 'B', sessionToken: 'C' })
  })

  test('a profile is read from its file, again each time', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sqs-profile-'))
    try {
      const file = join(folder, 'credentials')
      const write = (id: string): void =>
        writeFileSync(file, `[reader]\naws_access_key_id=${id}\naws_secret_access_key=s\n`)
      write('first')
      const get = await source({
        'aws.access.key.id': '',
        'aws.secret.access.key': ' ',
        'aws.credentials.profile': 'reader',
        'aws.credentials.file.path': file,
      })
      assert.equal((await get()).accessKeyId, 'first')
      write('second')
      assert.equal((await get()).accessKeyId, 'second')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test("a file that a configuration names starts no program, unless it is the operator's own", async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sqs-process-'))
    const [file, ran] = [join(folder, 'any file\nthat a REST client can fill'), join(folder, 'ran')]
    writeFileSync(file, `{"message":"\n[p]\n credential_process = touch ${ran}\n"}`)
    try {
      const get = await source({ 'aws.credentials.profile': 'p', 'aws.credentials.file.path': file })
      await assert.rejects(get(), { code: 'SQS_CREDENTIALS', field: 'aws.credentials.file.path', message: /credential_process/ }) // prettier-ignore
      assert.equal(existsSync(ran), false)
      process.env['AWS_SHARED_CREDENTIALS_FILE'] = file
      await assert.rejects(get(), /Profile p credential_process/)
      assert.equal(existsSync(ran), true)
      writeFileSync(file, '[p]\nrole_arn = arn:aws:iam::123456789012:role/r\nweb_identity_token_file = /dev/zero\n')
      delete process.env['AWS_SHARED_CREDENTIALS_FILE']
      await assert.rejects(get(), { field: 'aws.credentials.file.path', message: /it is no regular file/ })
    } finally {
      delete process.env['AWS_SHARED_CREDENTIALS_FILE']
      rmSync(folder, { recursive: true })
    }
  })

  test('without either, blank keys included, the environment serves', async () => {
    process.env['AWS_ACCESS_KEY_ID'] = 'of-environment'
    process.env['AWS_SECRET_ACCESS_KEY'] = 's'
    try {
      const get = await source({ 'aws.access.key.id': '', 'aws.secret.access.key': '' })
      assert.equal((await get()).accessKeyId, 'of-environment')
    } finally {
      delete process.env['AWS_ACCESS_KEY_ID']
      delete process.env['AWS_SECRET_ACCESS_KEY']
    }
  })
})
