import assert from 'node:assert/strict'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { sharedKafka, temporaryFolder } from '@tributary/harness'
import { parse } from 'yaml'
import { type Ended, tributary } from '../../support/cli.ts'
import { clusterProps, pluginListed, startPlane, startWorker } from '../../support/control-plane.ts'
import { createTopic } from '../../support/kafka-topic.ts'
import { send } from '../../support/rest-call.ts'
import { until } from '../../support/until.ts'

const { brokers } = await sharedKafka()
const FILE_SOURCE = 'org.apache.kafka.connect.file.FileStreamSourceConnector'

test('the command line against a control plane and a worker', async (t) => {
  const folder = temporaryFolder('cli')
  const files = join(folder, 'connectors')
  const cluster = clusterProps(brokers)
  let topic = ''
  let url = ''

  const cli = (...args: string[]): Promise<Ended> => tributary(['--server', url, ...args])
  const ok = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await cli(...args)
    assert.equal(code, 0, `${args.join(' ')}: ${stdout}${stderr}`)
    return stdout
  }
  const write = (name: string, text: string): Promise<void> => writeFile(join(files, name), text)
  const yaml = (name: string, more = ''): string =>
    `name: ${name}\nconnector.class: ${FILE_SOURCE}\ntasks.max: 1\nfile: ${join(folder, 'lines.txt')}\ntopic: ${topic}\n${more}`

  await mkdir(files)
  await writeFile(join(folder, 'p.properties'), 'key=x\n')
  await writeFile(join(folder, 'lines.txt'), 'one\ntwo\nthree\n')
  topic = await createTopic(brokers)
  await startWorker(t, cluster)
  ;({ url } = await startPlane(t, cluster))
  await pluginListed(url)

  await t.test('applies a folder once, and the second time changes nothing', async () => {
    await write(
      'a.yaml',
      yaml('orders-a', 'note: ${file:' + join(folder, 'p.properties') + ':key}\n') + `---\n${yaml('orders-b')}`,
    )
    await write('c.json', JSON.stringify({ name: 'orders-c', config: { 'connector.class': FILE_SOURCE, 'tasks.max': 1, topic, file: '/dev/null' } })) // prettier-ignore
    const dry = await cli('apply', '-f', files, '--dry-run')
    assert.equal(dry.code, 6)
    assert.match(dry.stdout, /^orders-a: new$/m)
    assert.match(dry.stdout, /^ {2}\+ note: \$\{file:.*p.properties:key\}$/m)
    assert.equal(await ok('list', '-o', 'name'), '')

    assert.match(await ok('apply', '-f', files), /^3 new, 0 changed, 0 the same$/m)
    const versions = await ok('history', 'orders-a', '-o', 'json')
    assert.match(await ok('apply', '-f', files), /^0 new, 0 changed, 3 the same$/m)
    assert.equal((await cli('apply', '-f', files, '--dry-run')).code, 0)
    assert.equal(await ok('history', 'orders-a', '-o', 'json'), versions)
    assert.equal(await ok('list', '-o', 'name'), 'orders-a\norders-b\norders-c\n')
  })

  await t.test('prints a configuration that apply takes as it is', async () => {
    const text = await ok('get', 'orders-a', 'orders-b')
    await writeFile(join(folder, 'back.yaml'), text)
    assert.match(await ok('apply', '-f', join(folder, 'back.yaml')), /0 new, 0 changed, 2 the same/)
    assert.equal(
      (parse(text.split('---\n')[0]!) as Record<string, string>)['note'],
      '${file:' + join(folder, 'p.properties') + ':key}',
    )
  })

  await t.test('changes what differs, and deletes with --prune what the prefix owns', async () => {
    await ok('create', '-f', await saved('other.yaml', yaml('foreign')))
    await write('a.yaml', yaml('orders-a', 'batch.size: 100\n'))
    const { stdout } = await cli('apply', '-f', files, '--prune', '--prefix', 'orders-')
    assert.match(stdout, /^ {2}- note: .*\n/m)
    assert.match(stdout, /^ {2}\+ batch.size: 100$/m)
    assert.match(stdout, /^orders-b: not in the files$/m)
    assert.match(stdout, /^0 new, 1 changed, 1 the same, 1 deleted$/m)
    assert.equal(await ok('list', '-o', 'name'), 'foreign\norders-a\norders-c\n')
    const refused = await cli('apply', '-f', files, '--prune')
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, /deletes foreign/)
    await ok('delete', 'foreign', '--yes')
  })

  await t.test('waits until a connector runs, and shows it', async () => {
    assert.match(await ok('restart', 'orders-a', '--wait'), /orders-a: RUNNING, one task/)
    assert.match(await ok('status', 'orders-a'), /orders-a {2,}0 {2,}RUNNING/)
    assert.match(await ok('list'), /^orders-a {2,}RUNNING {2,}1\/1 {2,}source {2,}FileStreamSourceConnector$/m)
    assert.equal((JSON.parse(await ok('status', 'orders-a', '-o', 'json')) as { name: string }).name, 'orders-a')
    assert.match(await ok('health'), /healthy/)
    assert.match(await ok('health', 'orders-a'), /orders-a/)
    assert.match(await ok('plugins'), /FileStreamSourceConnector/)
  })

  await t.test('stops, sets and resets offsets, and resumes', async () => {
    await until('offsets are committed', async () => (await ok('offsets', 'get', 'orders-a')).includes('"position":14'))
    const early = await cli('offsets', 'reset', 'orders-a', '--yes')
    assert.equal(early.code, 1)
    assert.match(early.stderr, /tributary stop NAME --wait/)
    await ok('stop', 'orders-a', '--wait')
    const saved = await ok('offsets', 'get', 'orders-a', '-o', 'json')
    await ok('offsets', 'reset', 'orders-a', '--yes')
    assert.equal(
      (JSON.parse(await ok('offsets', 'get', 'orders-a', '-o', 'json')) as { offsets: [] }).offsets.length,
      0,
    )
    await writeFile(join(folder, 'offsets.json'), saved)
    await ok('offsets', 'set', 'orders-a', '-f', join(folder, 'offsets.json'))
    assert.deepEqual(JSON.parse(await ok('offsets', 'get', 'orders-a', '-o', 'json')), JSON.parse(saved))
    const partition = JSON.stringify({ filename: join(folder, 'lines.txt') })
    await ok('offsets', 'set', 'orders-a', '--partition', partition, '--offset', '{"position": 4}')
    assert.match(await ok('offsets', 'get', 'orders-a'), /"position":4\}/)
    await ok('pause', 'orders-a', '--wait')
    await ok('resume', 'orders-a', '--wait')
  })

  await t.test('shows history and differences, and rolls back', async () => {
    assert.match(await ok('history', 'orders-a'), /^2 .* batch.size/m)
    const diff = await cli('diff', 'orders-a', '1', '2')
    assert.equal(diff.code, 6)
    assert.match(diff.stdout, /^ {2}\+ batch.size: 100$/m)
    assert.match(await ok('rollback', 'orders-a', '1'), /version 3 is version 1 again/)
    assert.equal((await cli('diff', '-f', join(files, 'a.yaml'))).code, 6)
    await ok('apply', '-f', files)
    assert.equal((await cli('diff', '-f', files)).code, 0)
  })

  await t.test('says what is wrong with a configuration, and with a name', async () => {
    const file = await saved('bad.json', JSON.stringify({ name: 'bad', config: { 'connector.class': FILE_SOURCE, 'batch.size': 'many', topic } })) // prettier-ignore
    const invalid = await cli('validate', '-f', file)
    assert.equal(invalid.code, 1)
    assert.match(invalid.stdout, /^bad {2,}batch.size {2,}Invalid value many/m)
    assert.equal((await cli('validate', '-f', files)).code, 0)
    const created = await cli('create', '-f', file)
    assert.equal(created.code, 1)
    assert.match(created.stderr, /tributary validate -f FILE/)
    const twice = await cli('create', '-f', join(files, 'c.json'))
    assert.match(twice.stderr, /tributary apply -f FILE/)
    const missing = await cli('status', 'order-a')
    assert.equal(missing.code, 3)
    assert.match(missing.stderr, /Did you mean orders-a/)
    const failing = await cli('apply', '-f', file, '-f', join(files, 'c.json'))
    assert.equal(failing.code, 1)
    assert.match(failing.stderr, /1 of 2 connectors could not be applied/)
  })

  await t.test('keeps the secret where a file has its mask, and never writes the mask', async () => {
    const masked = await saved('masked.yaml', yaml('masked', "api.password: '[hidden]'\n"))
    const refused = await cli('create', '-f', masked)
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, /api.password of masked is \[hidden\], the mask of a secret/)
    const made = await ok('apply', '-f', await saved('secret.yaml', yaml('masked', 'api.password: hunter2\n')))
    assert.doesNotMatch(made, /hunter2/)
    await ok('apply', '-f', await saved('masked.yaml', yaml('masked', "api.password: '[hidden]'\nbatch.size: 7\n")))
    const { body } = await send(url, { method: 'GET', path: '/connectors/masked/config' })
    assert.deepEqual([(body as Record<string, string>)['api.password'], (body as Record<string, string>)['batch.size']], ['hunter2', '7']) // prettier-ignore
    await ok('delete', 'masked', '-y')
  })

  await t.test('completes commands, options and names', async () => {
    assert.equal(await ok('__complete', '--', '--server', url, 'status', 'ord'), 'orders-a\norders-c\n')
    assert.equal(await ok('__complete', '--', 'dlq', 'replay'), 'replay\nreplays\n')
    assert.equal(await ok('__complete', '--', 'list', '-o', 'j'), 'json\n')
    assert.equal(await ok('__complete', '--', 'apply', '--dry'), '--dry-run\n')
    for (const shell of ['bash', 'zsh', 'fish']) assert.match(await ok('completion', shell), /__complete/)
  })

  await t.test('lists dead letters and replays, of which there are none', async () => {
    assert.equal((JSON.parse(await ok('dlq', 'list', '-o', 'json')) as { total: number }).total, 0)
    assert.match(await ok('dlq', 'stats'), /total/)
    await ok('dlq', 'replays')
    const missing = await cli('dlq', 'show', '00000000-0000-5000-8000-000000000000')
    assert.equal(missing.code, 3)
    const all = await cli('dlq', 'replay')
    assert.equal(all.code, 2)
    assert.match(all.stderr, /Name their ids, or a filter/)
  })

  await t.test('runs what its README says, as it stands there', async () => {
    const readme = await readFile(join(import.meta.dirname, '../../../apps/cli/README.md'), 'utf8')
    const lines = (/```sh\n([^]*?)```/.exec(readme)?.[1] ?? '').trim().split('\n')
    assert.ok(lines.length > 5)
    for (const line of lines) {
      const [npx, program, ...args] = line.split(' ')
      assert.deepEqual([npx, program], ['npx', 'tributary'])
      const { code, stderr } = await cli(...args.map((arg) => (arg === 'connectors' ? files : arg)))
      assert.ok(code === 0 || (code === 6 && args.includes('--dry-run')), `${line}: ${stderr}`)
    }
  })

  await t.test('leaves the files as they were', async () => {
    assert.match(await readFile(join(files, 'c.json'), 'utf8'), /"tasks.max":1/)
    await rm(files, { recursive: true })
  })

  async function saved(name: string, text: string): Promise<string> {
    await writeFile(join(folder, name), text)
    return join(folder, name)
  }
})
