import fastify from 'fastify'
import assert from 'node:assert/strict'
import test from 'node:test'
import { answerErrors } from '../http/error-handler.ts'
import { silentLog } from '@tributary/telemetry/testing'
import { INTERNAL_TOKEN, InternalTokens } from '@tributary/service'
import type { Replica } from './replicas.ts'
import { type Forwarded, NOT_LEADER } from './leader-proxy.ts'
import { recognizeReplicas } from './replica-requests.ts'
import { type Lead, WriteGate } from './write-gate.ts'

const TOKENS = new InternalTokens([{ reveal: () => 'a key for tests that is long enough to be one' }])
const signed = (to: string, path = '/'): Record<string, string> => ({
  [INTERNAL_TOKEN]: TOKENS.sign({ method: 'POST', path }, { from: 'control-plane@b:8083', to }, ''),
})
const OTHER: Replica = { id: 'b', rest: 'b:8083' }
const CREATED: Forwarded = {
  outcome: 'answered',
  status: 201,
  headers: { 'content-type': 'application/json', location: 'http://rest/c', connection: 'keep-alive' },
  body: Buffer.from('{"name":"c"}'),
}

/** A replica with one write route. The test sets the replica's place in the group. */
class Scene implements Lead {
  other: Replica | null = null
  elected = false
  ended = false
  leads = false
  /** The leader's answers, in order. */
  answers: Forwarded[] = []
  forwardedTo: string[] = []
  callers: unknown[] = []
  gone: Replica[] = []
  refreshed = 0
  written = 0
  fails: Error | null = null
  /** Called each time the gate looks up the leader. */
  onLook: () => void = () => undefined
  readonly #app = fastify()

  /** @param waitMs how long a write waits for a leader */
  constructor(waitMs = 50) {
    recognizeReplicas(this.#app, { tokens: TOKENS, self: () => 'a:8083' })
    this.#app.decorateRequest('rawBody', '')
    const gate = new WriteGate({
      lead: this,
      proxy: {
        forward: (leader, { caller }) => {
          this.forwardedTo.push(leader.rest)
          this.callers.push(caller)
          return Promise.resolve(this.answers.shift()!)
        },
      },
      caller: ({ ip: address }) => ({ address, id: '1', identity: { name: 'key:ci' } }),
      refresh: () => Promise.resolve(void this.refreshed++),
      waitMs,
      answerMs: 1000,
      log: silentLog,
    })
    gate.guard(this.#app)
    answerErrors(this.#app, silentLog)
    this.#app.route({
      method: 'POST',
      url: '/',
      config: { write: true },
      handler: async (_, reply) => this.#write(reply),
    })
    this.#app.route({ method: 'GET', url: '/', handler: () => ({ read: true }) })
  }

  write<T>(operation: () => Promise<T>): Promise<T> | null {
    return this.leads ? operation() : null
  }

  change(): Promise<void> {
    return new Promise((resolve) =>
      setTimeout(() => {
        this.onLook()
        resolve()
      }, 1),
    )
  }

  leaderGone(leader: Replica): Promise<void> {
    this.gone.push(leader)
    this.other = null
    return Promise.resolve()
  }

  async send(headers: Record<string, string> = {}, method: 'GET' | 'POST' = 'POST') {
    const { statusCode: status, headers: answered, body } = await this.#app.inject({ method, url: '/', headers })
    return { status, headers: answered, body: JSON.parse(body) as { message?: string; error_code?: number } }
  }

  #write(reply: { code(status: number): { send(body: unknown): unknown } }): unknown {
    if (this.fails) throw this.fails
    this.written++
    return reply.code(201).send({ name: 'here' })
  }
}

test('the leader carries a write out itself', async () => {
  const scene = new Scene()
  scene.leads = scene.elected = true
  assert.deepEqual((await scene.send()).body, { name: 'here' })
  assert.deepEqual(scene.forwardedTo, [])
})

test('a follower sends a write on, and reads what the leader wrote before it passes the answer on', async () => {
  const scene = new Scene()
  scene.other = OTHER
  scene.answers = [CREATED]
  const { status, headers, body } = await scene.send()
  assert.deepEqual([status, body, headers['location'], headers['content-type']], [201, { name: 'c' }, 'http://rest/c', 'application/json']) // prettier-ignore
  assert.deepEqual([scene.forwardedTo, scene.refreshed, scene.written], [['b:8083'], 1, 0])
  assert.deepEqual((await scene.send({}, 'GET')).body, { read: true })
})

test('a write waits for the election', async () => {
  const scene = new Scene()
  scene.onLook = () => (scene.leads = scene.elected = true)
  assert.equal((await scene.send()).status, 201)
  assert.equal(scene.written, 1)
})

test('without a leader a write is finally answered with 503, which says that nothing was written', async () => {
  const { status, headers, body } = await new Scene().send()
  assert.deepEqual([status, headers['retry-after'], body.error_code], [503, '1', 503])
  assert.match(body.message!, /^No replica of the control plane leads at the moment, so nothing was written/)
})

test('writes do not wait while the last replica stops', async () => {
  const scene = new Scene()
  scene.ended = true
  scene.onLook = () => assert.fail('it waited')
  assert.equal((await scene.send()).status, 503)
})

test('the gate waits for a leader that was not reached, and reports a leader whose process is gone', async () => {
  const scene = new Scene(60_000)
  scene.other = OTHER
  scene.answers = [{ outcome: 'unreached', reason: '' }, { outcome: 'refused', reason: '' }, CREATED]
  scene.onLook = () => (scene.other ??= { id: 'c', rest: 'c:8083' })
  assert.equal((await scene.send()).status, 201)
  assert.deepEqual(scene.forwardedTo, ['b:8083', 'b:8083', 'c:8083'])
  assert.deepEqual(scene.gone, [OTHER])
})

test('a write whose answer is lost is reported as in doubt and not sent again', async () => {
  const scene = new Scene()
  scene.other = OTHER
  scene.answers = [{ outcome: 'lost', reason: 'socket hang up' }, CREATED]
  const { status, body } = await scene.send()
  assert.equal(status, 503)
  assert.match(body.message!, /^Whether the change was made is not known .*b:8083.*socket hang up/)
  assert.equal(scene.forwardedTo.length, 1)
})

test('a fenced write is in doubt, any other error is passed on unchanged', async () => {
  const scene = new Scene()
  scene.leads = scene.elected = true
  scene.fails = Object.assign(new Error('fenced'), { code: 'PRODUCER_FENCED' })
  assert.match((await scene.send()).body.message!, /^Whether the change was made is not known/)
  scene.fails = new Error('another')
  assert.deepEqual((await scene.send()).body, { error_code: 500, message: 'another' })
})

test('a write is sent on once only: a replica that does not lead says so', async () => {
  const scene = new Scene()
  scene.other = OTHER
  const { status, headers } = await scene.send(signed('a:8083'))
  assert.deepEqual([status, headers[NOT_LEADER]], [503, '1'])
  assert.equal(scene.forwardedTo.length, 0)
})

test('a sender without a token is not treated as a replica, and a wrong token is refused', async () => {
  const scene = new Scene()
  scene.other = OTHER
  scene.answers = [CREATED]
  assert.equal((await scene.send({ 'x-tributary-forwarded': '1', 'x-tributary-key': 'shared' })).status, 201)
  const used = signed('a:8083')
  await scene.send(used)
  for (const wrong of [{ [INTERNAL_TOKEN]: 'guess' }, used, signed('c:8083'), signed('a:8083', '/other')]) {
    const { status, body } = await scene.send(wrong)
    assert.equal(status, 403)
    assert.match(body.message!, /token/)
  }
  assert.deepEqual(scene.forwardedTo, ['b:8083'])
})

test('the leader hears who the client is', async () => {
  const scene = new Scene()
  scene.other = OTHER
  scene.answers = [CREATED]
  await scene.send()
  assert.deepEqual(scene.callers, [{ address: '127.0.0.1', id: '1', identity: { name: 'key:ci' } }])
})
