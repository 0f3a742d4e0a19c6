import { randomUUID } from 'node:crypto'
import test from 'node:test'
import { compareAll, type Step } from './both-sides.ts'
import { startSides } from './start-sides.ts'

const config = { 'connector.class': 'FileStreamSource', topic: `t-${randomUUID()}`, file: '/dev/null' }
const text = { 'content-type': 'text/plain' }
const json = { 'content-type': 'application/json' }
const post = (body: unknown, differs?: Step['differs']): Step => ({
  method: 'POST',
  path: '/connectors',
  body,
  ...(differs && { differs }),
})
const get = (path: string, headers?: Record<string, string>): Step => ({
  method: 'GET',
  path,
  ...(headers && { headers }),
})
const without = (key: keyof typeof config): Record<string, string> =>
  Object.fromEntries(Object.entries(config).filter(([name]) => name !== key))

/** What can be compared whatever the state of tasks. */
const GROUPS: Record<string, readonly Step[]> = {
  'the HTTP layer': [
    { ...get('/'), differs: 'version' },
    get('/health'),
    get('/connectors'),
    get('/connectors/'),
    get('//connectors'),
    get('/nope'),
    get('/connectors', { accept: 'text/plain' }),
    get('/connectors', { accept: 'text/plain, */*;q=0.1' }),
    get('/connectors', { accept: 'application/*' }),
    get('/connectors', text),
    get('/connectors/x/nope'),
    { ...get('/connectors/%zz'), differs: 'badPath' },
    { method: 'HEAD', path: '/connectors' },
    { method: 'HEAD', path: '/nope' },
    { method: 'DELETE', path: '/connectors' },
    { method: 'POST', path: '/connectors/x' },
    { method: 'PATCH', path: '/connectors/x', body: {} },
    { method: 'OPTIONS', path: '/connectors', differs: 'optionsBody' },
    { method: 'OPTIONS', path: '/connectors/x/config', differs: 'optionsBody' },
    { method: 'OPTIONS', path: '/nope' },
    { method: 'POST', path: '/connectors', body: 'x', headers: text },
    {
      method: 'PATCH',
      path: '/connectors/x/config',
      body: '{}',
      headers: { 'content-type': 'application/merge-patch+json' },
    },
    { method: 'PUT', path: '/connectors/x/pause', body: '{}', headers: text },
  ],
  'creation errors': [
    post('{', 'clientMistake'),
    post('[]', 'clientMistake'),
    post('null', 'clientMistake'),
    post('"a"', 'clientMistake'),
    post('', 'clientMistake'),
    { method: 'POST', path: '/connectors', differs: 'clientMistake' },
    post({}, 'clientMistake'),
    post({ name: 'a', config: null }, 'clientMistake'),
    post({ name: 'a', config: { a: {} } }, 'clientMistake'),
    post({ name: 'a', config: { a: [] } }, 'clientMistake'),
    post({ name: 'a', foo: 1, config }, 'clientMistake'),
    post({ name: 'a', initial_state: 'nope', config }, 'clientMistake'),
    post({ name: 'a', config: {} }),
    post({ name: 'a', config: { 'connector.class': 'x', topic: 't' } }, 'unknownClass'),
    post({ name: 'a', config: { ...config, 'connector.class': ' FileStreamSource ' } }, 'unknownClass'),
    post({ name: 'a', config: without('topic') }),
    post({ name: 'a', config: { ...config, 'tasks.max': 'x' } }),
    post({ name: 'a', config: { ...config, 'tasks.max': 0, 'errors.tolerance': 'some' } }),
    post({ name: '', config }),
    post({ config }),
    post({ config: { ...config, name: 'q' } }),
    post({ name: 'a', config: { ...config, name: 'b' } }),
    post({ name: 'a', config: { ...config, x: null } }),
    post({ name: 'null', config: { ...config, topic: null } }, 'nullOfOwnKey'),
    { method: 'PUT', path: '/connectors/%20/config', body: config },
    { method: 'PUT', path: '/connectors/a/config', body: { ...config, name: 'zz' } },
    { method: 'PUT', path: '/connectors/a/config', body: { 'auto.evolve': 'true' } },
    { method: 'PUT', path: '/connectors/a/config', body: { name: 'a', config }, differs: 'clientMistake' },
    { method: 'PUT', path: '/connectors/a/config', differs: 'clientMistake' },
  ],
  'a connector that is not there': [
    get('/connectors/none'),
    get('/connectors/none/config'),
    get('/connectors/none/status'),
    get('/connectors/none/tasks'),
    get('/connectors/none/tasks-config'),
    get('/connectors/none/tasks/0/status'),
    get('/connectors/none/tasks/-1/status'),
    get('/connectors/none/tasks/x/status'),
    get('/connectors/none/tasks/99999999999/status'),
    get('/connectors/none/topics'),
    get('/connectors/none/offsets'),
    get('/connectors/a%2Fb'),
    { method: 'PUT', path: '/connectors/none/topics/reset' },
    { method: 'PUT', path: '/connectors/none/pause' },
    { method: 'PUT', path: '/connectors/none/resume', body: {} },
    { method: 'PUT', path: '/connectors/none/stop' },
    { method: 'POST', path: '/connectors/none/restart' },
    { method: 'POST', path: '/connectors/none/restart?includeTasks=true' },
    { method: 'POST', path: '/connectors/none/tasks/0/restart' },
    { method: 'DELETE', path: '/connectors/none' },
    { method: 'DELETE', path: '/connectors/none', headers: json },
    { method: 'PATCH', path: '/connectors/none/config', body: { a: 'b' } },
  ],
  plugins: [
    get('/connector-plugins/FileStreamSource/config'),
    get('/connector-plugins/FileStreamSourceConnector/config'),
    get('/connector-plugins/org.apache.kafka.connect.file.FileStreamSourceConnector/config'),
    get('/connector-plugins/Nix/config'),
    ...[
      {},
      { name: '' },
      { name: ' ' },
      { name: 'a\u0001b' },
      { name: 'n', 'tasks.max': 'x' },
      { name: 'n', 'tasks.max': '' },
      { name: 'n', 'tasks.max': '1.5' },
      { name: 'n', 'tasks.max': ' 2 ' },
      { name: 'n', 'tasks.max': null },
      { name: 'n', 'tasks.max': 99999999999, 'tasks.max.enforce': 'yes' },
      { name: 'n', 'config.action.reload': 'RESTART' },
      { name: 'n', 'errors.retry.timeout': '-2', 'errors.log.enable': 'TRUE' },
      { name: 'n', 'errors.tolerance': 'ALL', 'topic.creation.groups': 'a,a' },
      { name: 'n', 'exactly.once.support': 'x', 'transaction.boundary': 'x' },
      { name: 'n', 'transaction.boundary': 'interval', 'transaction.boundary.interval.ms': '10' },
      { name: 'n', 'offsets.storage.topic': ' ' },
      { name: 'n', 'batch.size': 'x', unknown: 'y', nothing: null },
      { name: 'n', transforms: '', predicates: '' },
    ].map((more) => validate({ ...config, ...more })),
    validate({ ...config, name: 'n', 'exactly.once.support': 'REQUIRED' }),
    validate({ ...without('file'), name: 'n', 'exactly.once.support': 'required' }),
    validate({ ...config, name: 'n', 'transaction.boundary': 'connector' }),
    { ...validate({ ...config, name: 'n', 'value.converter': 'nix' }), differs: 'unknownConverter' },
    {
      ...validate({ ...config, name: 'n', transforms: 'a,a,b', 'transforms.a.type': 'nix' }),
      differs: 'classesToChoose',
    },
    { ...validate({ ...config, name: 'n', predicates: 'p', 'predicates.p.type': 'nix' }), differs: 'classesToChoose' },
    validate({ ...config, name: 'n', 'connector.class': 'FileStreamSourceConnector' }),
    validate({ ...config, name: 'n', 'connector.class': fullName() }),
    {
      ...validate({ ...config, name: 'n', 'batch.size': '${nix:a}', file: '${file:/none' }),
      differs: 'referenceShown',
    },
    validate({ ...config, 'connector.class': 'FileStreamSink' }),
    { ...validate(config), path: '/connector-plugins/Nix/config/validate' },
    { ...validate({}), differs: 'clientMistake' },
    { ...validate([]), differs: 'clientMistake' },
    { ...validate({ ...config, a: {} }), differs: 'clientMistake' },
    { method: 'PUT', path: '/connector-plugins/FileStreamSource/config/validate', differs: 'clientMistake' },
  ],
  loggers: [
    get('/admin/loggers/nix'),
    logger('a.b', { level: 'debug' }),
    logger('a.b.c', { level: 'INFO' }),
    logger('a.b', { level: 'warn', x: 'y' }),
    get('/admin/loggers/a.b.c'),
    logger('a.b', { level: 'bogus' }),
    logger('a.b', { level: 5 }),
    logger('a.b', {}),
    logger('a.b', { level: null }),
    { ...logger('a.b', []), differs: 'clientMistake' },
    { method: 'PUT', path: '/admin/loggers/a.b', headers: json, differs: 'clientMistake' },
    logger('a.b?scope=cluster', { level: 'debug' }),
    logger('a.b?scope=CLUSTER', { level: 'info' }),
    logger('a.b?scope=cluster', { level: 'bogus' }),
    logger('a.b?scope=foo', { level: 'error' }),
    { ...logger('root', { level: 'warn' }), differs: 'rootLoggers' },
    get('/admin/loggers/root'),
  ],
}

function validate(body: unknown): Step {
  return { method: 'PUT', path: '/connector-plugins/FileStreamSource/config/validate', body }
}
function fullName(): string {
  return 'org.apache.kafka.connect.file.FileStreamSourceConnector'
}
function logger(path: string, body: unknown): Step {
  return { method: 'PUT', path: `/admin/loggers/${path}`, body }
}

test('requests are answered as Kafka Connect answers them', async (t) => {
  const sides = await startSides(t)
  for (const [name, steps] of Object.entries(GROUPS)) {
    await t.test(name, async (t) => {
      for (const step of steps) {
        const body = step.body === undefined ? '' : ` ${JSON.stringify(step.body)}`
        await t.test(`${step.method} ${step.path}${body}`, () => compareAll(sides, [step]))
      }
    })
  }
})
