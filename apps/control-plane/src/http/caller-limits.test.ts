import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '@tributary/telemetry/testing'
import { CallerLimits, type CallerLimitSettings } from './caller-limits.ts'
import { restError } from './rest-errors.ts'
import { createRestServer } from './server.ts'
import { proxiesOf } from './trusted-proxies.ts'

const OUTSIDE = '10.0.0.1'

interface Scene {
  now: number
  /** How often credentials were looked at. */
  logins: number
  call(
    address: string,
    authorization?: string,
    apiKey?: string,
  ): Promise<{ status: number; after: unknown; message: string }>
}

/** A server that lets in `good …`, and everybody without credentials. */
function scene(settings: CallerLimitSettings, trustedProxies = ''): Scene {
  const app = createRestServer({
    log: silentLog,
    requestTimeoutMs: 5000,
    crossOrigin: { origins: '', methods: '' },
    trustedProxies,
  })
  const limits = new CallerLimits(settings, () => made.now)
  app.decorateRequest('identity', null as never)
  limits.beforeLogin(app)
  app.addHook('onRequest', async (request) => {
    const { 'x-api-key': key, authorization = key as string | undefined } = request.headers
    if (authorization !== undefined) made.logins++
    if (authorization?.startsWith('good ') === false) throw Object.assign(restError('timedOut'), { status: 401 })
    Object.assign(request, { identity: { name: authorization ?? 'anonymous' } })
  })
  limits.afterLogin(app)
  app.get('/', () => ({ message: 'answered' }))
  const made: Scene = {
    now: 0,
    logins: 0,
    async call(address, authorization, apiKey) {
      const [remoteAddress, forwardedFor] = address.split(' for ')
      const headers = {
        ...(authorization && { authorization }),
        ...(apiKey && { 'x-api-key': apiKey }),
        ...(forwardedFor && { 'x-forwarded-for': forwardedFor }),
      }
      const answer = await app.inject({ url: '/', headers, remoteAddress: remoteAddress! })
      const { message } = answer.json<{ message: string }>()
      return { status: answer.statusCode, after: answer.headers['retry-after'], message }
    },
  }
  return made
}

test('an address is answered twice its rate at once, then with 429 and the time to wait', async () => {
  const made = scene({ requestsPerSecond: 2, failedLoginsPerMinute: 0 })
  for (let i = 0; i < 4; i++) assert.equal((await made.call(OUTSIDE)).status, 200)
  assert.deepEqual(await made.call(OUTSIDE), {
    status: 429,
    after: '1',
    message: `More than 2 requests a second come from the address ${OUTSIDE} (rest.requests.per.second). Send the request again in 1 s.`,
  })
  assert.equal((await made.call('10.0.0.2')).status, 200)
  made.now = 500
  assert.equal((await made.call(OUTSIDE)).status, 200)
  assert.equal((await made.call(OUTSIDE)).status, 429)
  for (let i = 0; i < 20; i++) assert.equal((await made.call('127.0.0.1')).status, 200)
})

test('who has logged in is limited at every address, also at those of this machine', async () => {
  const made = scene({ requestsPerSecond: 1, failedLoginsPerMinute: 0 })
  assert.equal((await made.call('127.0.0.1', 'good ci')).status, 200)
  assert.equal((await made.call('::1', 'good ci')).status, 200)
  assert.match((await made.call(OUTSIDE, 'good ci')).message, /come from good ci/)
  assert.equal((await made.call('127.0.0.1', 'good alice')).status, 200)
})

test('after too many failed logins, credentials of that address are not looked at, unless they were right before', async () => {
  const made = scene({ requestsPerSecond: 0, failedLoginsPerMinute: 3 })
  assert.equal((await made.call('127.0.0.1', 'good known')).status, 200)
  for (let i = 0; i < 3; i++) assert.equal((await made.call('127.0.0.1', `wrong ${i}`)).status, 401)
  assert.equal(made.logins, 4)
  const refused = await made.call('127.0.0.1', 'good guess')
  assert.deepEqual([refused.status, refused.after, made.logins], [429, '20', 4])
  assert.match(
    refused.message,
    /failed to log in more than 3 times in a minute \(access\.failed\.logins\.per\.minute\)/,
  )
  assert.equal((await made.call('127.0.0.1', 'good known')).status, 200)
  assert.equal((await made.call('127.0.0.1')).status, 200, 'a request without credentials is no login')
  assert.equal((await made.call(OUTSIDE, 'good other')).status, 200)
  made.now = 20_001
  assert.equal((await made.call('127.0.0.1', 'good guess')).status, 200)
})

test('behind a trusted proxy the client counts, and nobody else can name another address', async () => {
  const made = scene({ requestsPerSecond: 1, failedLoginsPerMinute: 0 }, '10.9.0.0/16')
  const statuses = async (address: string): Promise<number[]> => {
    const answers = [await made.call(address), await made.call(address), await made.call(address)]
    return answers.map(({ status }) => status)
  }
  assert.deepEqual(await statuses('10.9.0.1 for 192.0.2.1'), [200, 200, 429])
  assert.deepEqual(await statuses('10.9.0.1 for 192.0.2.2'), [200, 200, 429])
  assert.deepEqual(await statuses(`${OUTSIDE} for 192.0.2.3`), [200, 200, 429])
  assert.equal((await made.call(`${OUTSIDE} for 192.0.2.4`)).status, 429)
})

test('proxies are addresses and networks, and anything else is a mistake in the settings', () => {
  assert.equal(proxiesOf(' , '), false)
  assert.deepEqual(proxiesOf('10.0.0.0/8, 2001:db8::/32,192.0.2.1'), ['10.0.0.0/8', '2001:db8::/32', '192.0.2.1'])
  for (const wrong of ['proxy', '10.0.0.0/33', '10.0.0.0/0', '10.0.0.0/8/8', '10.0.0/8', '1.2.3.4/x', 'true']) {
    assert.throws(
      () => proxiesOf(`10.0.0.1,${wrong}`),
      /^ConfigException: Invalid value \S+ for configuration rest\.trusted/,
    )
  }
})

test('API keys in their own header count as logins, too', async () => {
  const made = scene({ requestsPerSecond: 0, failedLoginsPerMinute: 3 })
  const withKey = (key: string): Promise<number> => made.call(OUTSIDE, undefined, key).then(({ status }) => status)
  assert.equal(await withKey('good known'), 200)
  for (let i = 0; i < 3; i++) assert.equal(await withKey(`wrong ${i}`), 401)
  const before = made.logins
  assert.deepEqual([await withKey('good guess'), made.logins], [429, before])
  assert.equal(await withKey('good known'), 200)
  assert.equal((await made.call(OUTSIDE, 'wrong')).status, 429)
})
