import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { pruneApp } from '../../deploy/image/prune.ts'
import { isTestFile } from './imports/layers.ts'

const execute = promisify(execFile)

describe('a pruned copy of grpc-ingest outside the workspace', () => {
  let folder = ''
  let main = ''

  before(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'tributary-pruned-')))
    main = pruneApp('grpc-ingest', folder)
  })

  after(() => rmSync(folder, { recursive: true, force: true }))

  it('starts and prints its settings', async () => {
    const { stdout } = await execute(process.execPath, ['main.js', '--help'], { cwd: dirname(main), env: {} })
    assert.match(stdout, /TRIBUTARY_ADMIN_PORT/)
    assert.match(stdout, /KAFKA_BROKERS/)
  })

  it('contains our own code only as JavaScript, and no tests', () => {
    assert.deepEqual(unshippable(folder), [])
  })

  it('contains the packages that the app needs, and no others', () => {
    const has = (name: string): boolean => existsSync(join(folder, 'node_modules', name))
    for (const name of ['@tributary/config', '@tributary/kafka', 'pino']) assert.ok(has(name), name)
    const unneeded = ['@tributary/control-plane', '@tributary/harness', '@tributary/testkit', 'ws', 'nx', 'typescript']
    for (const name of unneeded) assert.ok(!has(name), name)
  })
})

/** The files of our own packages that are no JavaScript, or tests. */
function unshippable(folder: string): string[] {
  const ours = globSync('node_modules/@tributary/*/**/*.*', { cwd: folder, exclude: ['**/@tributary/*/node_modules'] })
  assert.ok(ours.length > 0)
  return ours.filter((file) => {
    const [, , name = '', ...inside] = file.split('/')
    return file.endsWith('.ts') || isTestFile(`apps/${name}/${inside.join('/')}`)
  })
}

describe('pruning', () => {
  it('leaves the tests of an app out', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'tributary-pruned-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    pruneApp('sse-ingest', folder)
    assert.deepEqual(unshippable(folder), [])
  })

  it('reports that an app does not exist', () => {
    assert.throws(() => pruneApp('no-such-app', join(tmpdir(), 'nowhere')), /there is no app apps\/no-such-app/)
  })

  it('does not write into a folder that is not empty', () => {
    assert.throws(() => pruneApp('grpc-ingest', import.meta.dirname), /is not empty/)
  })
})
