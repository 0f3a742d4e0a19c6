import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { Admin } from '@platformatic/kafka'
import { sharedKafka, temporaryFolder } from '@tributary/harness'
import { readPartition } from '../../support/kafka-topic.ts'
import { send } from '../../support/rest-call.ts'
import { type Services, startServices } from '../../support/services.ts'
import { until } from '../../support/until.ts'
import { leaksIn, newCanary } from './canaries.ts'
import { type CanaryConfig, canaryConfigs, sources } from './configs.ts'
import { startEchoServers } from './echo-servers.ts'

/** A long run puts a secret into each setting in every way, a short one in one way. */
const LONG = process.env['TRIBUTARY_TEST_LONG'] === '1'

const basic = (user: string): Record<string, string> => ({ authorization: `Basic ${btoa(`${user}:${user}-pw`)}` })

test('no secret of a configuration leaves the services by an answer, a log line, a span, a metric, a topic or a readable file', async (t) => {
  const servers = await startEchoServers(t)
  const spans = await startOtlpReceiver(t)
  const folder = temporaryFolder('canary')
  const plugins = await sources()
  const places = { reference: (way: string, name: string): string => way === 'env' ? `\${env:CANARY_${name}}` : way === 'file' ? `\${file:${folder}/secrets.properties:${name}}` : `\${dir:${folder}/secrets:${name}}` } // prettier-ignore
  const configs = plugins.flatMap(({ plugin }) => canaryConfigs(plugin, servers, places, LONG))
  const environment = await provide(folder, configs)
  const services = await startServices(
    plugins.map(({ app }) => app),
    { ...environment, OTEL_EXPORTER_OTLP_ENDPOINT: spans.url },
    basic('admin'),
  )
  t.after(() => services.stop())

  const { created, refusals } = await create(services, configs)
  assert.ok(created.length > configs.length / 2, `too many were refused:\n${refusals.join('\n')}`)
  await untilTold(services, created)
  for (const { name } of created) {
    await services.rest('POST', `/connectors/${name}/restart?includeTasks=true`)
  }
  await untilTold(services, created)

  const texts = new Map<string, string>()
  for (const [path, text] of await readRoutes(services, created)) texts.set(path, text)
  // As in Kafka Connect, a caller gets back a URL that it has sent, with its login.
  const validated = configs.filter(({ shown }) => !shown)
  await Promise.all(
    validated.map(async ({ name, config }) => {
      const path = `/connector-plugins/${config['connector.class']}/config/validate`
      const { body } = await services.rest('PUT', path, { ...config, name })
      texts.set(`the validation of ${name}`, JSON.stringify((body as { configs: unknown[] }).configs))
    }),
  )
  for (const [path, text] of await previews(services, created)) texts.set(path, text)
  assert.ok(servers.requests() > created.length, 'the servers were asked')
  texts.set('the logs', await services.log())
  for (const [topic, text] of await readTopics(services.cluster)) texts.set(topic, text)
  await services.stop()
  texts.set('the logs of the stop', await services.log())
  texts.set('the spans', spans.received())
  for (const [file, text] of await readOpenFiles(join(folder, 'data'))) texts.set(file, text)

  const names = new Map(configs.map(({ canary, name }) => [canary.slice(14, 34), name]))
  const leaks = [...texts].flatMap(([where, text]) =>
    leaksIn(text).map((leak) => {
      const whose = [...names].find(([own]) => leak.toLowerCase().includes(own))?.[1] ?? 'a secret'
      return `${where} has ${whose}, ${leak}`
    }),
  )
  t.diagnostic(`${configs.length} secrets, ${created.length} connectors, ${texts.size} texts, ${[...texts.values()].join('').length} characters`) // prettier-ignore
  assert.deepEqual(leaks, [])
})

/** Writes the secrets to where the providers find them. Returns the environment of the services. */
async function provide(folder: string, configs: readonly CanaryConfig[]): Promise<Record<string, string>> {
  const provided = (way: string): readonly CanaryConfig[] => configs.filter((config) => config.way === way)
  await mkdir(join(folder, 'secrets'), { recursive: true })
  const lines = provided('file').map(({ name, canary }) => `${name}=${canary}\n`)
  await writeFile(join(folder, 'secrets.properties'), lines.join(''))
  await Promise.all(provided('dir').map(({ name, canary }) => writeFile(join(folder, 'secrets', name), canary)))
  await writeFile(join(folder, 'users'), 'admin: admin-pw\nviewer: viewer-pw\n')
  await writeFile(join(folder, 'grants'), 'user.admin=admin\nuser.viewer=viewer\n')
  return {
    ...Object.fromEntries(provided('env').map(({ name, canary }) => [`CANARY_${name}`, canary])),
    TRIBUTARY_CONFIG_PROVIDERS: 'file,dir,env',
    TRIBUTARY_CONFIG_PROVIDERS_FILE_PARAM_ALLOWED_PATHS: folder,
    TRIBUTARY_CONFIG_PROVIDERS_DIR_PARAM_ALLOWED_PATHS: folder,
    TRIBUTARY_CONFIG_PROVIDERS_ENV_PARAM_ALLOWLIST_PATTERN: 'CANARY_.*',
    TRIBUTARY_ACCESS_AUTHENTICATION: 'basic',
    TRIBUTARY_ACCESS_BASIC_FILE: join(folder, 'users'),
    TRIBUTARY_ACCESS_GRANTS_FILE: join(folder, 'grants'),
    TRIBUTARY_DATA_DIR: join(folder, 'data'),
    TRIBUTARY_LOG_FILE: join(folder, 'data', 'services.log'),
    TRIBUTARY_LOG_LEVEL: 'debug',
    // A secret of the services themselves.
    TRIBUTARY_INTERNAL_KEY: newCanary(),
  }
}

/** The connectors that were created. Some need more than the rules of their spec say, so their creation fails; that answer is kept too. */
async function create(services: Services, configs: readonly CanaryConfig[]) {
  const refusals: string[] = []
  const created = await Promise.all(
    configs.map(async ({ name, config }) => {
      const sent = { name, config: { ...config, 'kafka.topic': `${services.cluster}-out` } }
      const { status, body } = await services.rest('POST', '/connectors', sent)
      if (status === 201) return true
      assert.equal(status, 400, `${name}: ${JSON.stringify(body)}`)
      assert.deepEqual(leaksIn(JSON.stringify(body)), [], name)
      refusals.push(`${name}: ${(body as { message: string }).message}`)
      return false
    }),
  )
  return { created: configs.filter((_, i) => created[i]), refusals }
}

/** Waits until health says more of each connector than that it is starting. */
async function untilTold(services: Services, created: readonly CanaryConfig[]): Promise<void> {
  for (const { name } of created) {
    await until(`${name} has failed or been refused`, async () => {
      const { body } = await services.rest('GET', `/connectors/${name}/health`)
      return /trying again|fail|refus|connected;|flowing/i.test(JSON.stringify(body))
    }, 15_000).catch((error: unknown) => { throw new Error(`${name} tells nothing`, { cause: error }) }) // prettier-ignore
  }
}

/** What every route that reads answers to a caller without the right to read configurations; and the admin servers. */
async function readRoutes(services: Services, created: readonly CanaryConfig[]): Promise<Map<string, string>> {
  const answers = new Map<string, string>()
  const read = async (url: string, path: string): Promise<void> => {
    const { status, body } = await send(url, { method: 'GET', path, headers: basic('viewer') })
    answers.set(`${status} ${url}${path}`, JSON.stringify(body))
  }
  const { body: api } = await services.rest('GET', '/openapi.json')
  const { paths } = api as { paths: Readonly<Record<string, { readonly get?: unknown }>> }
  const reading = Object.keys(paths).filter((path) => paths[path]!.get !== undefined)
  assert.ok(reading.length > 15, reading.join(' '))
  for (const path of reading) {
    const of = path.includes('{') ? created : created.slice(0, 1)
    await Promise.all(
      of.map(({ name, config }) => {
        const values: Readonly<Record<string, string>> = { connector: name, name, task: '0', plugin: config['connector.class']!, pluginName: config['connector.class']!, logger: 'io.tributary' } // prettier-ignore
        return read(
          services.url,
          path.replaceAll(/\{(\w+)\}/g, (_, key: string) => values[key] ?? '0'),
        )
      }),
    )
  }
  await read(services.url, '/connectors?expand=info&expand=status')
  for (const admin of services.admins) for (const path of ['/metrics', '/health', '/ready']) await read(admin, path)
  const readable = [...answers.keys()].filter((answer) => answer.startsWith('200 '))
  assert.ok(readable.length > created.length * 3, readable.join('\n'))
  return answers
}

/** Previews of some connectors of each source, and of those whose server sends. */
async function previews(services: Services, created: readonly CanaryConfig[]): Promise<Map<string, string>> {
  const some = [...Map.groupBy(created, ({ config }) => config['connector.class']).values()].flatMap((of) => {
    return LONG ? of : of.filter(({ name }, i) => i < 2 || name.endsWith('-sends'))
  })
  const answers = new Map<string, string>()
  for (const { name } of some) {
    const path = `/connectors/${name}/preview?records=1&seconds=1&force=true`
    const { status, body } = await services.rest('POST', path)
    answers.set(`${status} ${path}`, JSON.stringify(body))
  }
  const shown = [...answers].filter(([path, text]) => path.startsWith('200') && text.includes('"outcome"'))
  assert.ok(shown.length > 0, [...answers.values()].join('\n'))
  return answers
}

/** All topics of the cluster except that of the configurations. */
async function readTopics(cluster: string): Promise<Map<string, string>> {
  const { brokers } = await sharedKafka()
  const admin = new Admin({ clientId: 'canary', bootstrapBrokers: [...brokers] })
  try {
    const names = (await admin.listTopics()).filter((name) => name.startsWith(cluster) && !name.endsWith('-configs'))
    assert.ok(names.length >= 3, names.join(' '))
    const { topics } = await admin.metadata({ topics: names })
    const texts = names.map(async (name): Promise<[string, string]> => {
      const partitions = [...Array(topics.get(name)!.partitions.length).keys()]
      const records = (await Promise.all(partitions.map((partition) => readPartition(brokers, name, partition)))).flat()
      const parts = records.flatMap(({ key, value, headers }) => [key, value, ...headers.map(([, header]) => header)])
      return [name, parts.map((part) => part?.toString('latin1') ?? '').join('\n')]
    })
    return new Map(await Promise.all(texts))
  } finally {
    await admin.close()
  }
}

/** Every file of the data folder that others than its owner may read. */
async function readOpenFiles(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const texts = new Map<string, string>()
  for (const entry of entries.filter((each) => each.isFile())) {
    const file = join(entry.parentPath, entry.name)
    if (((await stat(file)).mode & 0o077) !== 0) texts.set(file, await readFile(file, 'latin1'))
  }
  return texts
}

/** Takes spans by OTLP over HTTP. */
async function startOtlpReceiver(t: TestContext): Promise<{ readonly url: string; received(): string }> {
  const bodies: string[] = []
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      bodies.push(body.toString('latin1'))
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received: () => bodies.join('\n') }
}
