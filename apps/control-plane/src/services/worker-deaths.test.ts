import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import test, { type TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { fakeWorker } from '../testing/fake-worker.ts'
import { type TestApi, testApi } from '../testing/test-api.ts'

const config = { 'connector.class': 'FileStreamSource', name: 'a', topic: 't' }
const validate = (api: TestApi, file: string): ReturnType<TestApi['call']> =>
  api.call('PUT', '/connector-plugins/FileStreamSource/config/validate', { ...config, file })
const errorsOf = ({ body }: { body: unknown }): string[] =>
  (body as { configs: { value: { errors: string[] } }[] }).configs.flatMap(({ value }) => value.errors)

/** A worker that ends, as the kernel ends it: its connections break off. `held`: those of requests that it has got. */
async function dyingWorker(t: TestContext): Promise<{ address: string; held: Socket[]; asked: () => Promise<void> }> {
  const held: Socket[] = []
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => {
      held.push(socket)
      server.emit('asked')
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => {
    server.close()
    for (const socket of held) socket.destroy()
  })
  const asked = async (): Promise<void> => void (await once(server, 'asked'))
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, held, asked }
}

const ENDED = /^The worker 127\.0\.0\.1:\d+ ended while it checked this configuration, so no other worker was asked/
const REFUSED = /^Workers ended 2 times while they checked this configuration and no other/

function answer(socket: Socket): void {
  const body = '{"errors":[]}'
  socket.end(`HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
}

async function scene(t: TestContext) {
  const api = testApi()
  const dying = await dyingWorker(t)
  const live = await fakeWorker(t, () => ({ errors: [] }))
  api.groups.set('test-file-ingest', [dying.address, live.address])
  /** Sends the configurations at once, ends the worker when it has all of them, and returns their errors. */
  const ended = async (...files: string[]): Promise<string[][]> => {
    const answers = files.map((file) => validate(api, file))
    while (dying.held.length < files.length) await dying.asked()
    for (const socket of dying.held.splice(0)) socket.destroy()
    return (await Promise.all(answers)).map(errorsOf)
  }
  const next = async (): Promise<Socket> => {
    if (dying.held.length === 0) await dying.asked()
    return dying.held.shift()!
  }
  return { api, dying, live, ended, next }
}

test('no second worker is asked about a configuration after the first one has ended of it', async (t) => {
  const { live, ended } = await scene(t)
  const [[error]] = (await ended('/dev/ptmx')) as [[string]]
  assert.match(error, ENDED)
  assert.deepEqual(live.asked, [])
})

test('a configuration that ends workers while they check nothing else is found out; others are not blamed', async (t) => {
  const { api, dying, ended, next } = await scene(t)
  for (const errors of await ended('deadly', 'good')) assert.match(errors[0]!, ENDED)
  // From now on each of them is checked alone: they wait for each other.
  const answers = [validate(api, 'deadly'), validate(api, 'good'), validate(api, 'third')]
  const first = await next()
  await setImmediate()
  assert.equal(dying.held.length, 0)
  first.destroy()
  answer(await next())
  answer(await next())
  const [deadly, good, third] = (await Promise.all(answers)).map(errorsOf)
  assert.match(deadly![0]!, ENDED)
  assert.deepEqual([good, third], [[], []])
  const [[again]] = (await ended('deadly')) as [[string]]
  assert.match(again, ENDED)
  assert.match(errorsOf(await validate(api, 'deadly'))[0]!, REFUSED)
  const other = validate(api, 'another')
  answer(await next())
  assert.deepEqual(errorsOf(await other), [])
})

test('an end that met a healthy configuration is forgotten once a worker has checked it', async (t) => {
  const { api, ended, next } = await scene(t)
  for (let round = 0; round < 3; round++) {
    assert.match((await ended('good'))[0]![0]!, ENDED)
    const checked = validate(api, 'good')
    answer(await next())
    assert.deepEqual(errorsOf(await checked), [])
  }
})
