import type { AccessKey } from '@tributary/connect-storage'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiKeys } from '../../services/api-keys.ts'
import { MemoryAccessStore } from '../../testing/memory-stores.ts'
import { type Answer, testApi } from '../../testing/test-api.ts'
import type { FailedLogin } from '../login.ts'
import { ApiKeyAuthenticator } from './api-keys.ts'

const HOUR = 3_600_000

interface Scene {
  readonly store: MemoryAccessStore
  readonly failed: FailedLogin[]
  time: number
  create(name: string, expires?: string): Promise<string>
  get(headers: Record<string, string>): Promise<Answer>
}

function scene(): Scene {
  const store = new MemoryAccessStore()
  const failed: FailedLogin[] = []
  const now = (): number => made.time
  const authenticators = [new ApiKeyAuthenticator(store, now)]
  const api = testApi({ keys: store, access: { authenticators, onFailedLogin: (login) => void failed.push(login) } })
  const made: Scene = {
    store,
    failed,
    time: 1_700_000_000_000,
    create: async (name, expires) =>
      (await new ApiKeys(store, now).create({ name, grants: 'viewer', expires: expires ?? null }, 'test')).key,
    get: (headers) => api.call('GET', '/connectors', undefined, headers),
  }
  return made
}

const basic = (user: string, password: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
})

test('a key is sent as a bearer token, in X-API-Key, or as the password of the Basic user key', async () => {
  const { create, get, failed } = scene()
  const key = await create('ci')
  assert.match(key, /^trib_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/)
  const ways = [
    { authorization: `Bearer ${key}` },
    { authorization: `bearer  ${key}` },
    { 'x-api-key': key },
    basic('key', key),
  ]
  for (const headers of ways) assert.equal((await get(headers)).status, 200, JSON.stringify(headers))
  assert.deepEqual(failed, [])
})

test('neither the key nor its secret is in the store', async () => {
  const { create, store } = scene()
  const secret = (await create('ci')).slice('trib_0123456789abcdef_'.length)
  assert.equal(secret.length, 43)
  assert.ok(!JSON.stringify(store.keys()).includes(secret))
})

test('an unknown, wrong, revoked or expired key and a text that is none get one answer; the listener learns the reason', async () => {
  const { create, get, failed, store } = scene()
  const key = await create('ci')
  const revoked = await create('old')
  await new ApiKeys(store).revoke('old')
  const other = key.endsWith('A') ? 'B' : 'A'
  const refused: [string, RegExp, string | null][] = [
    [`trib_${'0'.repeat(16)}_${'A'.repeat(43)}`, /no API key has this id/, null],
    [key.slice(0, -1) + other, /secret .* is wrong/, 'key:ci'],
    [revoked, /is revoked/, 'key:old'],
    ['trib_', /no API key$/, null],
    [`${key}A`, /no API key$/, null],
    [key.slice(0, -1), /no API key$/, null],
    [`trib___proto___${'A'.repeat(43)}`, /no API key$/, null],
  ]
  const answers = new Set<string>()
  for (const [text, reason, claimed] of refused) {
    for (const headers of [{ authorization: `Bearer ${text}` }, { 'x-api-key': text }, basic('key', text)]) {
      const { status, body, headers: answered } = await get(headers)
      answers.add(JSON.stringify([status, body, answered['www-authenticate']]))
      const login = failed.at(-1)
      assert.match(login?.reason ?? '', reason, text)
      assert.equal(login?.claimed, claimed)
    }
  }
  assert.equal(answers.size, 1, [...answers].join('\n'))
  assert.equal(failed.length, refused.length * 3)
})

test('a key ends when its lifetime ends', async () => {
  const made = scene()
  const key = await made.create('ci', '2h')
  made.time += 2 * HOUR - 1
  assert.equal((await made.get({ 'x-api-key': key })).status, 200)
  made.time += 1
  assert.equal((await made.get({ 'x-api-key': key })).status, 401)
  assert.match(made.failed[0]?.reason ?? '', /expired/)
})

test('a record whose grants cannot be read lets nobody in', async () => {
  const { create, get, store } = scene()
  const key = await create('ci')
  const record: AccessKey = { ...store.key('ci')!, grants: ['root'] }
  await store.put(record)
  assert.equal((await get({ 'x-api-key': key })).status, 401)
})

test('credentials of another kind are not taken for keys', async () => {
  const { get, failed } = scene()
  for (const headers of [{ authorization: 'Bearer eyJ' }, basic('alice', 'secret'), { authorization: 'Basic' }]) {
    assert.equal((await get(headers)).status, 401)
  }
  assert.equal(failed.length, 3)
})
