import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test, type TestContext } from 'node:test'
import { type FakeConnect, fakeConnect } from '../testing/fake-connect.ts'
import type { Moved } from './move.ts'
import type { ConnectorReport } from './report.ts'
import type { Saved } from './saved.ts'
import { translateOffsets } from './sources.ts'
import { run as main } from '../main.ts'

const folder = await mkdtemp(join(tmpdir(), 'migrate-'))
after(() => rm(folder, { recursive: true, force: true }))

const CONVERTERS = { 'key.converter': 'Str', 'value.converter': 'Str' }
const CONFIG = { 'connector.class': 'a.FileStreamSourceConnector', name: 'lines', password: 'canary', ...CONVERTERS }
const OFFSETS = [{ partition: { filename: 'f' }, offset: { position: 9007199254740993n } }]

interface Scene {
  readonly old: FakeConnect
  readonly here: FakeConnect
  readonly save: string
  run(...args: string[]): Promise<{ code: number; out: string; err: string }>
  moved(...args: string[]): Promise<Moved[]>
  saved(name?: string): Promise<Saved>
}

const NEVER = new AbortController().signal
let scenes = 0
async function scene(t: TestContext, options: Parameters<typeof fakeConnect>[1] = {}): Promise<Scene> {
  const [old, here] = [await fakeConnect(t, options), await fakeConnect(t)]
  old.connectors.set('lines', { config: CONFIG, state: 'RUNNING', offsets: OFFSETS })
  const save = join(folder, String(scenes++))
  const run: Scene['run'] = async (...args) => {
    const said = { code: -1, out: '', err: '' }
    const io = {
      stdin: process.stdin,
      stdout: { write: (text: string) => (said.out += text) },
      stderr: { write: (text: string) => (said.err += text) },
      env: { HOME: folder },
      interrupted: NEVER,
    }
    const times = ['--grace', '0', '--start-within', '0.5']
    const all = ['migrate', '--server', here.url, '--from', old.url, '--save', save, ...times, ...args]
    said.code = await main(all, io)
    return said
  }
  return {
    ...{ old, here, save, run },
    moved: async (...args) =>
      (JSON.parse((await run('--apply', '-o', 'json', ...args)).out) as { moved: Moved[] }).moved,
    saved: async (name = 'lines') => JSON.parse(await readFile(join(save, `${name}.json`), 'utf8')) as Saved,
  }
}

test('a report changes nothing, and shows no setting', async (t) => {
  const { old, here, run, save } = await scene(t)
  const { code, out } = await run('-o', 'json')
  const { connectors } = JSON.parse(out) as { connectors: ConnectorReport[] }
  assert.deepEqual([code, connectors.map(({ name, verdict }) => [name, verdict])], [0, [['lines', 'same']]])
  assert.deepEqual([old.changes, here.changes], [[], []])
  assert.ok(!out.includes('canary') && !(await run()).out.includes('canary'))
  await assert.rejects(stat(save))
})

test('the old one ends before the new one is made; offsets are exact; what is saved is for the owner alone', async (t) => {
  const { old, here, moved, save, saved } = await scene(t)
  here.answer = (method, path) => {
    if (method === 'POST') assert.equal(old.connectors.get('lines')?.state, 'STOPPED')
    if (path.endsWith('/resume')) assert.deepEqual(here.connectors.get('lines')?.offsets, OFFSETS)
    return null
  }
  assert.deepEqual(await moved(), [{ name: 'lines', outcome: 'moved', offsets: 1, left: 0, error: null }])
  assert.deepEqual(here.changes, [
    'POST /connectors',
    'PATCH /connectors/lines/offsets',
    'PUT /connectors/lines/resume',
  ])
  assert.deepEqual(here.connectors.get('lines'), { config: CONFIG, state: 'RUNNING', offsets: OFFSETS })
  assert.equal((await saved()).step, 'done')
  const [file] = await readdir(save)
  assert.equal((await stat(join(save, file!))).mode & 0o777, 0o600)
  const [again] = await moved()
  assert.deepEqual([again!.outcome, old.changes.length], ['stays', 1])
})

test('a paused one is paused here, and a stopped one stays stopped', async (t) => {
  const { old, here, moved } = await scene(t)
  old.connectors.set('lines', { config: CONFIG, state: 'PAUSED', offsets: [] })
  old.connectors.set('still', { config: { ...CONFIG, name: 'still' }, state: 'STOPPED', offsets: OFFSETS })
  assert.deepEqual(
    (await moved()).map(({ outcome }) => outcome),
    ['moved', 'moved'],
  )
  assert.deepEqual([here.connectors.get('lines')?.state, here.connectors.get('still')?.state], ['PAUSED', 'STOPPED'])
})

for (const [step, broken] of [
  ['make', (method: string) => method === 'POST'],
  ['set the offsets of', (method: string) => method === 'PATCH'],
  ['resume', (_: string, path: string) => path.endsWith('/resume')],
] as const) {
  test(`if it cannot ${step} the new one, it is removed and the old one runs again`, async (t) => {
    const { old, here, moved } = await scene(t)
    here.answer = (method, path) => (broken(method, path) ? { status: 400, body: { message: 'no such luck' } } : null)
    const [one] = await moved()
    assert.deepEqual([one!.outcome, one!.error], ['rolled_back', `${here.url} could not ${step} lines: no such luck`])
    assert.equal(old.connectors.get('lines')?.state, 'RUNNING')
    assert.equal(here.connectors.size, 0)
    here.answer = () => null
    assert.equal((await moved())[0]!.outcome, 'moved')
  })
}

test('a connector that others have made here meanwhile is not removed', async (t) => {
  const { old, here, moved } = await scene(t)
  const theirs = { config: { 'connector.class': 'x' }, state: 'RUNNING', offsets: [] }
  here.answer = (method) => {
    if (method === 'POST') here.connectors.set('lines', theirs)
    return null
  }
  assert.equal((await moved())[0]!.outcome, 'rolled_back')
  assert.equal(here.connectors.get('lines'), theirs)
  assert.equal(old.connectors.get('lines')?.state, 'RUNNING')
})

test('before 3.5 a connector is saved and deleted, which must be accepted, and made again if it fails here', async (t) => {
  const { old, here, moved, saved } = await scene(t, { offsets: false, expand: false })
  const [refused] = await moved()
  assert.match(refused!.error!, /tells no offsets by REST .* --accept/)
  assert.deepEqual(old.changes, [])
  old.answer = (method) => {
    // It is saved before it is deleted.
    if (method === 'DELETE') void saved().then(({ old: { config } }) => assert.deepEqual(config, CONFIG))
    return null
  }
  here.answer = (method) => (method === 'POST' ? { status: 400, body: { message: 'no' } } : null)
  assert.equal((await moved('--accept'))[0]!.outcome, 'rolled_back')
  assert.deepEqual(old.connectors.get('lines')?.config, CONFIG)
  here.answer = () => null
  assert.equal((await moved('--accept'))[0]!.outcome, 'moved')
  assert.deepEqual([old.connectors.size, here.connectors.get('lines')?.state], [0, 'RUNNING'])
})

for (const step of ['saved', 'ended', 'read', 'made', 'moved'] as const) {
  test(`a migration that ended behind the step "${step}" goes on`, async (t) => {
    const { old, here, moved, save, saved } = await scene(t)
    assert.equal((await moved())[0]!.outcome, 'moved')
    const done = await saved()
    await writeFile(
      join(save, 'lines.json'),
      JSON.stringify({ ...done, step, ...(step === 'saved' && { offsets: null }) }),
    )
    // The process has ended behind the step, and so before it wrote down the next one.
    if (step !== 'moved' && step !== 'made') here.connectors.delete('lines')
    if (step === 'saved') old.connectors.get('lines')!.state = 'RUNNING'
    const [one] = await moved('--continue')
    assert.deepEqual([one!.outcome, here.connectors.get('lines')?.state], ['moved', 'RUNNING'])
    assert.deepEqual(Object.keys(here.connectors.get('lines')!.offsets[0] as object), ['partition', 'offset'])
  })
}

test('a deleted one is found again by what is saved of it', async (t) => {
  const { old, here, moved, save, saved } = await scene(t, { offsets: false })
  await moved('--accept')
  here.connectors.delete('lines')
  await writeFile(join(save, 'lines.json'), JSON.stringify({ ...(await saved()), step: 'ended' }))
  assert.equal(old.connectors.size, 0)
  assert.equal((await moved('--continue', '--accept'))[0]!.outcome, 'moved')
  assert.equal(here.connectors.get('lines')?.state, 'RUNNING')
})

test('the converters of the old worker become those of connectors without any', async (t) => {
  const { old, here, moved, save } = await scene(t)
  const { 'key.converter': _, 'value.converter': __, ...bare } = CONFIG
  old.connectors.set('lines', { config: bare, state: 'RUNNING', offsets: [] })
  assert.match((await moved())[0]!.error!, /key\.converter and value\.converter are the old worker's/)
  const file = `${save}.properties`
  await writeFile(
    file,
    '# x\nkey.converter = K\nvalue.converter: V\nvalue.converter.schemas.enable=false\ngroup.id=g\n',
  )
  assert.equal((await moved('--worker-config', file))[0]!.outcome, 'moved')
  const added = { 'key.converter': 'K', 'value.converter': 'V', 'value.converter.schemas.enable': 'false' }
  assert.deepEqual(here.connectors.get('lines')?.config, { ...added, ...bare })
})

test('what cannot run here stays, and errors say what to do', async (t) => {
  const { old, here, moved, run } = await scene(t, {})
  old.connectors.set('sink', { config: { 'connector.class': 'a.Sink', ...CONVERTERS }, state: 'RUNNING', offsets: [] })
  here.connectors.set('lines', { config: {}, state: 'RUNNING', offsets: [] })
  const errors = (await moved()).map(({ error }) => error)
  assert.match(errors[0]!, /a connector of this name here already/)
  assert.match(errors[1]!, /no connector of the class a\.Sink here/)
  assert.deepEqual(old.changes, [])
  for (const [args, said] of [
    [['--from', 'ftp://x'], /ftp:\/\/x is no URL of a REST API\. Write it as http/],
    [['--from', 'http://127.0.0.1:1'], /127\.0\.0\.1:1 does not answer .*Look whether it runs/],
    [['--from', here.url], /is both ends/],
    [['--only', 'gone'], /has no connector gone/],
    [['--worker-config', '/gone'], /\/gone cannot be read/],
  ] as const) {
    const { code, err } = await run(...args)
    assert.notEqual(code, 0)
    assert.match(err, said)
  }
})

test('offsets of the JVM connectors become ours, and those of others are left behind', () => {
  const offset = { session_id: 's', sequence: 7 }
  const translated = (config: Record<string, string>, ...partitions: Record<string, string>[]) => {
    const { moved, left } = translateOffsets(
      config,
      partitions.map((partition) => ({ partition, offset })),
    )
    return [moved.map(({ partition }) => partition), left.length]
  }
  const ws = (url: string) => ({ 'connector.class': 'io.conduktor.connect.websocket.WebSocketSourceConnector', 'websocket.url': url }) // prettier-ignore
  assert.deepEqual(translated(ws('ws://u:p@h/x?a=@'), { websocket_url: 'ws://u:p@h/x?a=@' }, { websocket_url: 'ws://other' }), [[{ websocket_url: 'ws://h/x?a=@' }], 1]) // prettier-ignore
  assert.deepEqual(translated(ws('ws://${file:/a:u}@h'), { websocket_url: 'ws://me:pw@h' }), [[{ websocket_url: 'ws://h' }], 0]) // prettier-ignore
  const grpc = {
    ...{
      'connector.class': 'io.conduktor.connect.grpc.GrpcSourceConnector',
      'grpc.server.host': 'h',
      'grpc.server.port': '1',
    },
    ...{ 'grpc.service.name': 'a.S', 'grpc.method.name': 'M' },
  }
  const own = { grpc_server: 'h:1', grpc_method: 'a.S/M' }
  assert.deepEqual(translated(grpc, own, { ...own, grpc_server: 'h:2' }), [[own], 1])
  const sqs = { 'connector.class': 'io.connect.sqs.SqsSourceConnector' }
  assert.deepEqual(translated(sqs, { queue_url: 'q' }, { x: 'q' }), [[{ queue_url: 'q' }], 1])
})
