import assert from 'node:assert/strict'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { CONVERTER_PLUGINS } from '@tributary/converters'
import { sharedKafka, temporaryFolder } from '@tributary/harness'
import { PREDICATES, TRANSFORMATIONS } from '@tributary/transforms'
import { type Answer, send } from '../../support/rest-call.ts'
import { startIngest } from '../../support/ingest.ts'
import { clusterProps, startPlane } from '../../support/control-plane.ts'
import { until } from '../../support/until.ts'

const { brokers } = await sharedKafka()

interface Plugin {
  readonly class: string
  readonly type: string
  readonly version: string
}

/** Everything but connectors, in the order of the answer. */
const OTHERS = [TRANSFORMATIONS, PREDICATES, CONVERTER_PLUGINS].flatMap((plugins) => {
  const names = plugins.flatMap(({ type, class: name, aliases = [] }) => {
    return [name, ...aliases].map((each) => `${type} ${each}`)
  })
  return names.sort()
})

/** A control plane, and a grpc-ingest process that has published its plugins. */
async function start(t: TestContext) {
  const props = clusterProps(brokers)
  const ingest = await startIngest(join(temporaryFolder('plugins'), 'log'), {
    KAFKA_BROKERS: brokers.join(','),
    TRIBUTARY_CLUSTER: props['cluster']!,
  })
  t.after(() => ingest.child.kill())
  const { url } = await startPlane(t, props)
  const call = (method: string, path: string, body?: unknown): Promise<Answer> =>
    send(url, { method, path, ...(body === undefined ? {} : { body }) })
  const plugins = async (query: string): Promise<Plugin[]> =>
    (await call('GET', `/connector-plugins${query}`)).body as Plugin[]
  await until('converters and connectors are listed', async () => {
    const types = (await plugins('?connectorsOnly=false')).map(({ type }) => type)
    return types.includes('source') && types.filter((type) => type !== 'source').length >= OTHERS.length
  })
  return { call, plugins, ingest }
}

test('every listed connector can be validated under each of its names with an almost empty config', async (t) => {
  const { call, plugins } = await start(t)
  const connectors = await plugins('')
  assert.ok(connectors.length >= 2, 'the class and the one of the JVM connector')
  for (const { class: name } of connectors) {
    const { status, body } = await call('PUT', `/connector-plugins/${name}/config/validate`, {
      'connector.class': name,
      topics: 'a,b',
    })
    assert.equal(status, 200, name)
    const { error_count: errors, configs } = body as { error_count: number; configs: { value: { errors: string[] } }[] }
    assert.ok(errors > 0 && errors === configs.flatMap(({ value }) => value.errors).length, name)
  }
})

test('converters are listed on request, with their settings', async (t) => {
  const { call, plugins } = await start(t)
  assert.deepEqual([...new Set((await plugins('')).map(({ type }) => type))], ['source'])
  const others = (await plugins('?connectorsOnly=false')).filter(({ type }) => type !== 'source')
  assert.deepEqual(
    others.map(({ class: name, type }) => `${type} ${name}`),
    OTHERS,
  )
  for (const { class: name } of others) {
    assert.equal((await call('GET', `/connector-plugins/${name}/config`)).status, 200, name)
  }
  const json = (await call('GET', '/connector-plugins/JsonConverter/config')).body as {
    name: string
    default_value: string
  }[]
  assert.equal(json.find(({ name }) => name === 'schemas.enable')?.default_value, 'true')
  const { services } = (await call('GET', '/cluster')).body as { services: { name: string; plugins: Plugin[] }[] }
  assert.deepEqual(
    services.map(({ name, plugins: run }) => [name, run.map(({ type }) => type)]),
    [['grpc-ingest', ['source']]],
  )
})

test('a logger name of the JVM connector sets the level of the matching logger on the workers', async (t) => {
  const { call, ingest } = await start(t)
  const levels = async (level: string): Promise<void> => {
    const answer = await call('PUT', '/admin/loggers/io.conduktor.connect.grpc', { level })
    assert.deepEqual(answer.body, ['io.conduktor.connect.grpc'])
  }
  const config = {
    'connector.class': 'io.conduktor.connect.grpc.GrpcSourceConnector',
    'grpc.server.host': '127.0.0.1',
    'grpc.server.port': '1',
    'grpc.service.name': 'a.B',
    'grpc.method.name': 'C',
    'grpc.proto.descriptor': 'syntax = "proto3"; package a; message M {} service B { rpc C(M) returns (stream M); }',
    'kafka.topic': 'unused',
  }
  await levels('off')
  assert.equal((await call('PUT', '/connectors/quiet/config', config)).status, 201)
  await until('the quiet task runs', async () => (await call('GET', '/connectors/quiet/tasks/0/status')).status === 200)
  await levels('info')
  assert.equal((await call('PUT', '/connectors/loud/config', config)).status, 201)
  await ingest.logged('task_starting', 'loud')
  assert.ok(!ingest.log.has('task_starting', 'quiet'))
})
