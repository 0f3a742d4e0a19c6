import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { test } from 'node:test'
import type { TestContext } from 'node:test'

const main = new URL('../../fixtures/sample-service/main.ts', import.meta.url).pathname
const DEADLINE_MS = 20_000

interface Sample {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly lines: string[]
  readonly url: string
  /** The exit code and signal. */
  ended(): Promise<[number | null, string | null]>
  /** The first line that matches, of those so far and those to come. */
  line(pattern: RegExp): Promise<string>
}

/** Starts the sample service, which ends with the test. */
function spawnSample(t: TestContext, env: Record<string, string> = {}, args: string[] = []): Omit<Sample, 'url'> {
  const child = spawn(process.execPath, [main, ...args], { env: { PATH: process.env['PATH'], ...env }, stdio: 'pipe' })
  const exited = once(child, 'close') as Promise<[number | null, string | null]>
  t.after(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const lines: string[] = []
  const listeners = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line)
      for (const listener of listeners) listener()
    })
  }
  const within = <T>(promise: Promise<T>, what: string): Promise<T> => {
    const { promise: expired, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(
      () => reject(new Error(`no ${what} within ${DEADLINE_MS} ms:\n${lines.join('\n')}`)),
      DEADLINE_MS,
    )
    return Promise.race([promise, expired]).finally(() => clearTimeout(timer))
  }
  const line = (pattern: RegExp): Promise<string> => {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const look = (): void => {
      const found = lines.find((l) => pattern.test(l))
      if (found !== undefined) resolve(found)
    }
    listeners.add(look)
    look()
    void exited.then(() => (look(), reject(new Error(`ended without ${pattern}:\n${lines.join('\n')}`))))
    return within(promise, String(pattern)).finally(() => listeners.delete(look))
  }
  return { child, lines, line, ended: () => within(exited, 'end') }
}

async function startSample(t: TestContext, env: Record<string, string> = {}): Promise<Sample> {
  const sample = spawnSample(t, env)
  const started = await sample.line(/event=service_started/)
  return { ...sample, url: /admin=(\S+)/.exec(started)![1]! }
}

const get = async (url: string, init?: RequestInit): Promise<{ status: number; body: unknown }> => {
  const response = await fetch(url, init)
  const text = await response.text()
  return { status: response.status, body: text.startsWith('{') ? (JSON.parse(text) as unknown) : text }
}

test('a service logs its address once, answers health, readiness and errors, and stops on SIGTERM with exit code 0', async (t) => {
  const sample = await startSample(t)
  const { body } = await get(`${sample.url}/address`)
  assert.match(
    sample.lines.join('\n'),
    new RegExp(`event=service_started .*address=${(body as { address: string }).address} `),
  )
  assert.deepEqual(await get(`${sample.url}/health`), {
    status: 200,
    body: { status: 'healthy', message: 'The process is running.' },
  })
  assert.deepEqual(await get(`${sample.url}/ready/`), { status: 200, body: { status: 'ready' } })
  assert.deepEqual(await get(`${sample.url}/none`), {
    status: 404,
    body: { error_code: 404, message: 'HTTP 404 Not Found' },
  })
  assert.deepEqual(await get(`${sample.url}/broken`), {
    status: 500,
    body: { error_code: 500, message: 'broken route' },
  })
  await sample.line(/event=request_failed .*path=\/broken/)
  sample.child.kill('SIGTERM')
  assert.deepEqual(await sample.ended(), [0, null])
  assert.match(sample.lines.join('\n'), /event=sample_stopping .*aborted=true/)
})

test('a scrape has the documented names and labels exactly', async (t) => {
  const sample = await startSample(t)
  const response = await fetch(`${sample.url}/metrics`)
  const text = await response.text()
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  assert.match(text, /^grpc_isConnected\{connector_name="c",server="h:1"\} 1$/m)
  assert.match(text, /^tributary_process_memory_bytes\{kind="rss"\} \d+$/m)
  assert.match(text, /^tributary_event_loop_delay_seconds\{quantile="0\.99"\} /m)
  assert.doesNotMatch(text, /otel_scope|target_info/)
})

test('a service that is not ready says why', async (t) => {
  const sample = await startSample(t, { TRIBUTARY_SAMPLE_READY: 'no broker answers' })
  assert.deepEqual(await get(`${sample.url}/ready`), {
    status: 503,
    body: { error_code: 503, message: 'no broker answers' },
  })
})

test('beyond loopback the admin server needs a key and a guard of its metrics, and then gives no details away', async (t) => {
  const wide = { TRIBUTARY_ADMIN_HOST: '0.0.0.0', TRIBUTARY_SAMPLE_READY: 'no broker answers' }
  const key = { TRIBUTARY_INTERNAL_KEY: 'a key for tests that is long enough to be one' }
  const refused = spawnSample(t, { ...wide, ...key })
  assert.deepEqual(await refused.ended(), [1, null])
  const guessed = { TRIBUTARY_INTERNAL_KEY: 'guessed', TRIBUTARY_ADMIN_METRICS_TOKEN: 'scrape' }
  assert.deepEqual(await spawnSample(t, { ...wide, ...guessed }).ended(), [1, null])
  assert.match(
    refused.lines.join('\n'),
    /set TRIBUTARY_INTERNAL_KEY \(32 random characters\) with TRIBUTARY_ADMIN_METRICS_TOKEN or/,
  )
  const sample = await startSample(t, { ...wide, ...key, TRIBUTARY_ADMIN_METRICS_TOKEN: 'scrape' })
  const url = sample.url.replace('0.0.0.0', '127.0.0.1')
  const ready = async (headers: Record<string, string> = {}): Promise<unknown> =>
    ((await get(`${url}/ready`, { headers })).body as { message: string }).message
  assert.equal(await ready(), 'The service is not ready. Its log says why.')
  assert.equal(await ready({ authorization: 'Bearer scrape' }), 'no broker answers')
  assert.equal((await get(`${url}/health`)).status, 200)
  assert.equal((await get(`${url}/metrics`)).status, 401)
  assert.equal((await get(`${url}/metrics`, { headers: { authorization: 'Bearer scrape' } })).status, 200)
  assert.equal((await get(`${url}/address`)).status, 403, 'the routes between services')
  assert.doesNotMatch(sample.lines.join('\n'), /unauthenticated_bind/)
})

test('a service stops when its parent is gone', async (t) => {
  const sample = await startSample(t, { TRIBUTARY_PARENT_WATCH: '1' })
  sample.child.stdin.end()
  assert.deepEqual(await sample.ended(), [0, null])
  assert.match(sample.lines.join('\n'), /event=service_stopping .*reason=parent_gone/)
})

test('a service stops although nobody reads its log any more', async (t) => {
  const sample = await startSample(t, { TRIBUTARY_PARENT_WATCH: '1' })
  sample.child.stdout.destroy()
  sample.child.stdin.end()
  assert.deepEqual(await sample.ended(), [0, null])
})

test('a service can stop itself', async (t) => {
  const sample = await startSample(t)
  await get(`${sample.url}/shutdown`, { method: 'POST' })
  assert.deepEqual(await sample.ended(), [0, null])
})

for (const path of ['reject', 'throw']) {
  test(`an unhandled error (${path}) is logged with its trace and ends the process with exit code 1`, async (t) => {
    const sample = await startSample(t)
    await get(`${sample.url}/${path}`, { method: 'POST' }).catch(() => undefined)
    assert.deepEqual(await sample.ended(), [1, null])
    assert.match(
      sample.lines.join('\n'),
      /event=(unhandled_rejection|uncaught_exception) .*\n\tError: nobody .*\n\t {4}at /,
    )
  })

  test(`an unhandled error (${path}) is passed to the handler of the service`, async (t) => {
    const sample = await startSample(t, { TRIBUTARY_SAMPLE_UNHANDLED: 'true' })
    await get(`${sample.url}/${path}`, { method: 'POST' })
    await sample.line(/event=taken/)
    assert.equal((await get(`${sample.url}/health`)).status, 200)
  })
}

test('a start that fails is logged with its causes and ends with exit code 1', async (t) => {
  const sample = spawnSample(t, { TRIBUTARY_SAMPLE_START: 'fail' })
  assert.deepEqual(await sample.ended(), [1, null])
  assert.match(
    sample.lines.join('\n'),
    /event=start_failed .*\n\tError: start failed\n[^]*\tCaused by: Error: the reason/,
  )
})

test('a stop that fails, or takes too long, ends with exit code 1', async (t) => {
  for (const how of ['fail', 'never']) {
    const sample = await startSample(t, { TRIBUTARY_SAMPLE_STOP: how, TRIBUTARY_SHUTDOWN_TIMEOUT_MS: '300' })
    sample.child.kill('SIGTERM')
    assert.deepEqual(await sample.ended(), [1, null], how)
    assert.match(sample.lines.join('\n'), /event=stop_(failed|timed_out)/)
  }
})

test('a signal during a start that never ends stops the service; a second one ends it at once', async (t) => {
  const sample = spawnSample(t, { TRIBUTARY_SAMPLE_START: 'never', TRIBUTARY_PARENT_WATCH: '1' })
  sample.child.stdin.end()
  await sample.line(/event=service_stopping/)
  sample.child.kill('SIGTERM')
  assert.deepEqual(await sample.ended(), [1, null])
})

test('a taken port, a wrong setting and a forbidden address each give one clear sentence and exit code 1', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.after(() => taken.close())
  const cases: [Record<string, string>, RegExp][] = [
    [
      { TRIBUTARY_ADMIN_PORT: String((taken.address() as AddressInfo).port) },
      /admin\.port: cannot listen on 127\.0\.0\.1: the port is taken/,
    ],
    [{ TRIBUTARY_ADMIN_PORT: 'x' }, /TRIBUTARY_ADMIN_PORT: Invalid value x for configuration admin\.port/],
    [{ TRIBUTARY_ADMIN_HOST: '0.0.0.0' }, /would open a server without authentication/],
  ]
  for (const [env, message] of cases) {
    const sample = spawnSample(t, env)
    assert.deepEqual(await sample.ended(), [1, null])
    assert.match(sample.lines.join('\n'), message)
    assert.doesNotMatch(sample.lines.join('\n'), /^\t {4}at /m)
  }
})

test('spans, and only spans, go to a configured OTLP endpoint, at the end at the latest', async (t) => {
  const requests: { path: string | undefined; body: string }[] = []
  const collector = createHttpServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      requests.push({ path: request.url, body: Buffer.concat(parts).toString('latin1') })
      response.end()
    })
  }).listen(0, '127.0.0.1')
  await once(collector, 'listening')
  t.after(() => collector.close().closeAllConnections())
  const { port } = collector.address() as AddressInfo
  const sample = await startSample(t, { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` })
  await get(`${sample.url}/span`, { method: 'POST' })
  sample.child.kill('SIGTERM')
  assert.deepEqual(await sample.ended(), [0, null])
  assert.deepEqual([...new Set(requests.map((r) => r.path))], ['/v1/traces'])
  assert.ok(requests.some((r) => r.body.includes('a span') && r.body.includes('sample')))
})

test('--properties reads the settings of a Kafka Connect worker; variables win, and unknown names are told', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'properties-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'connect-distributed.properties')
  const logFile = join(folder, 'logs', 'connect.log')
  await writeFile(file, `# a worker\nlog.level=debug\nlog.file=${logFile}\nadmin.host=no.such.host\nplugin.path=/opt\n`)
  const sample = spawnSample(t, { TRIBUTARY_ADMIN_HOST: '127.0.0.1' }, ['--properties', file])
  await sample.line(/WARN .*event=properties_without_effect .*properties=plugin\.path/)
  await sample.line(/event=service_started/)
  sample.child.kill('SIGTERM')
  assert.deepEqual(await sample.ended(), [0, null])
  assert.match(await readFile(logFile, 'utf8'), /event=service_started[^]*event=service_stopped/)
})

test('--properties with a file that cannot be read ends with a sentence', async (t) => {
  const missing = spawnSample(t, {}, ['--properties', '/no/such/file'])
  assert.deepEqual(await missing.ended(), [1, null])
  assert.match(missing.lines.join('\n'), /ERROR .*event=start_failed .*--properties \/no\/such\/file: ENOENT/)
})

test('--help prints the settings and ends with exit code 0', async (t) => {
  const sample = spawnSample(t, {}, ['--help'])
  assert.deepEqual(await sample.ended(), [0, null])
  assert.match(sample.lines.join('\n'), /TRIBUTARY_ADMIN_PORT[^]*TRIBUTARY_SAMPLE_START/)
})
