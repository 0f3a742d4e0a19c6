import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from '@tributary/harness'
import { ServiceProcess } from '../../../deploy/local/service-process.ts'
import { isAlive, until } from '../../support/until.ts'

const entry = fileURLToPath(new URL('../../fixtures/start/service.fixture.ts', import.meta.url))

let folder: string
let logFile: string
let said: string[]
let service: ServiceProcess | undefined

beforeEach(() => {
  folder = temporaryFolder('service')
  logFile = join(folder, 'stand-in.log')
  said = []
})
afterEach(() => service?.stop())

function start(env: Record<string, string> = {}, backoffMs = 50): ServiceProcess {
  const say = (line: string): void => void said.push(line)
  service = new ServiceProcess({ name: 'stand-in', entry, env, logFile, say, backoffMs, maxBackoffMs: 2 * backoffMs })
  service.start()
  return service
}

const log = (): string => readFileSync(logFile, 'utf8')
const pids = (): number[] => Array.from(log().matchAll(/pid=(\d+)/g), ([, pid]) => Number(pid))

test('a service is ready when its /ready answers, and ends on SIGTERM', async () => {
  const stopped = start()
  await stopped.ready()
  assert.match(stopped.address ?? '', /^127\.0\.0\.1:\d+$/)
  const [pid = 0] = pids()
  await stopped.stop()
  assert.equal(isAlive(pid), false)
  assert.match(log(), /event=service_stopped/)
  assert.deepEqual(said, [])
})

test('a service that dies is started again, which is logged with its new address', async () => {
  const killed = start()
  await killed.ready()
  for (let times = 1; times <= 2; times++) {
    const before = killed.address
    process.kill(pids().at(-1) ?? 0, 'SIGKILL')
    await until('the next process answers', () => pids().length === times + 1)
    await killed.ready()
    assert.notEqual(killed.address, before)
  }
  assert.equal(said.length, 2)
  const [first = '', second = ''] = said
  assert.match(first, /^stand-in ended \(SIGKILL\) and is started again at once; its log is .*stand-in\.log$/)
  assert.match(second, /^stand-in ended \(SIGKILL\) and is started again in 0\.05 s; its log is .*stand-in\.log$/)
})

test('a service that cannot start at first is tried again', async () => {
  await start({ STAND_IN_FAILS: join(folder, 'luck'), STAND_IN_HEALS: '1' }).ready()
  assert.deepEqual(said.length, 1)
  assert.match(said[0] ?? '', /^stand-in ended \(exit code 7\)/)
})

test('a service that ends three times before it is ready is given up, with its log as the reason', async () => {
  await assert.rejects(start({ STAND_IN_FAILS: join(folder, 'luck') }).ready(), {
    name: 'LaunchError',
    message: /^stand-in does not start, its log is .*stand-in\.log and says: ERROR event=start_failed error="no luck"$/,
  })
})

test('a service that is stopped while it waits to be started again stays away', async () => {
  const stopped = start({}, 60_000)
  for (let times = 1; times <= 2; times++) {
    await until('it runs', () => pids().length === times)
    await stopped.ready()
    process.kill(pids().at(-1) ?? 0, 'SIGKILL')
    await until('its death is logged', () => said.length === times)
  }
  await stopped.stop()
  assert.equal(pids().length, 2)
})
