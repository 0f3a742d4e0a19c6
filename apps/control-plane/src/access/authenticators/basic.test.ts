import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testApi } from '../../testing/test-api.ts'
import { GrantsFile } from '../grants-file.ts'
import type { FailedLogin } from '../login.ts'
import { hashPassword, parsePassword, passwordMatches } from '../passwords.ts'
import { BasicAuthenticator, parseUsers, type Users } from './basic.ts'

/** `secret`, with the smallest cost. */
const CHEAP = '$scrypt$ln=1,r=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$jjjNh3eNiOh3SQ07meC/jcZYQjJfzwYY4Tjkd0VmMZY'

function scene(initial: string) {
  let users = parseUsers(initial)
  const failed: FailedLogin[] = []
  const basic = new BasicAuthenticator(
    () => Promise.resolve(users),
    () => Promise.resolve(GrantsFile.parse('user.*=viewer')),
  )
  const api = testApi({ access: { authenticators: [basic], onFailedLogin: (login) => void failed.push(login) } })
  const get = (credentials: string): ReturnType<typeof api.call> =>
    api.call('GET', '/connectors', undefined, { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` })
  const login = async (user: string, password: string): Promise<number> => (await get(`${user}:${password}`)).status
  return { get, login, failed, change: (text: string): Users => (users = parseUsers(text)) }
}

test("users of Kafka Connect's file log in with their passwords", async () => {
  const { login, failed, get } = scene('# Connect\nalice: s:e cret\nbob=ünï\ncarol\thunter2\n')
  assert.deepEqual(
    [await login('alice', 's:e cret'), await login('bob', 'ünï'), await login('carol', 'hunter2')],
    [200, 200, 200],
  )
  for (const [user, password] of [
    ['alice', 's:e cre'],
    ['alice', ''],
    ['bob', 's:e cret'],
    ['', ''],
    ['nobody', 'x'],
    ['__proto__', 'x'],
  ] as const) {
    assert.equal(await login(user, password), 401, `${user}:${password}`)
  }
  const { headers, body } = await get('nobody:x')
  assert.deepEqual(headers['www-authenticate'], ['Basic realm="tributary", charset="UTF-8"'])
  assert.deepEqual(body, (await get('alice:wrong')).body)
  assert.deepEqual([failed[0]?.claimed, failed[0]?.reason], ['user:alice', 'unknown user or wrong password'])
  assert.equal((await get('no colon')).status, 401)
  assert.equal(failed.at(-1)?.claimed, null)
})

test('a password may be hashed, and a change of the file ends what was known', async () => {
  const { login, change } = scene(`alice: ${CHEAP}\nbob: plain`)
  assert.equal(await login('alice', 'secret'), 200)
  assert.equal(await login('alice', 'secret'), 200)
  assert.deepEqual(
    [await login('alice', CHEAP), await login('bob', 'wrong'), await login('nobody', 'secret')],
    [401, 401, 401],
  )
  assert.equal(await login('bob', 'plain'), 200)
  change('alice: other')
  assert.deepEqual(
    [await login('alice', 'secret'), await login('bob', 'plain'), await login('alice', 'other')],
    [401, 401, 200],
  )
})

test('too many logins at once are put off, and none is let in by that', async () => {
  const { login } = scene(`alice: ${CHEAP}`)
  const statuses = await Promise.all(Array.from({ length: 25 }, (_, i) => login('alice', `guess ${i}`)))
  assert.deepEqual([...new Set(statuses)].sort(), [401, 503])
  assert.equal(await login('alice', 'secret'), 200)
})

test('a file that would let everybody in, or that costs too much, is refused', () => {
  for (const [text, why] of [
    ['', /no line "user: password"/],
    ['# nobody', /no line "user: password"/],
    ['alice:', /the user alice has no password/],
    ['alice: $2y$10$abcdefghijklmnopqrstuv', /the user alice: a password that begins with \$ must be of the form/],
    ['alice: $scrypt$ln=25,r=8,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2g', /costs too much/],
    ['alice: $scrypt$ln=0,r=8,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2g', /costs too much/],
  ] as const) {
    assert.throws(() => parseUsers(text), why, text)
  }
})

test('a hash of another program is read, as is one of ours', async () => {
  const ours = parsePassword(await hashPassword('secret'))
  assert.deepEqual([await passwordMatches('secret', ours), await passwordMatches('Secret', ours)], [true, false])
  const theirs = parsePassword(CHEAP)
  assert.deepEqual([await passwordMatches('secret', theirs), await passwordMatches('x', theirs)], [true, false])
})
