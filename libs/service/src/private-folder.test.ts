import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs' // prettier-ignore
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { privateFolder } from './private-folder.ts'

const BOOT = new URL('./boot.ts', import.meta.url).href
/** Only root can give a folder away. */
const asRoot = { skip: process.geteuid?.() === 0 ? false : 'only root can give a folder to another user' }
const NOBODY = 65_534

let root: string
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'tributary-private-'))))
afterEach(() => rmSync(root, { recursive: true }))

const modeOf = (path: string): number => statSync(path).mode & 0o777

describe('privateFolder', () => {
  test('makes a folder that only its owner may enter, and closes one that others may read', () => {
    assert.equal(modeOf(privateFolder(join(root, 'a', 'b'))), 0o700)
    assert.equal(modeOf(join(root, 'a')), 0o700)
    chmodSync(join(root, 'a', 'b'), 0o755)
    assert.equal(modeOf(privateFolder(join(root, 'a', 'b'))), 0o700)
  })

  for (const mode of [0o770, 0o702]) {
    test(`refuses a folder of mode ${mode.toString(8)}`, () => {
      const folder = join(root, 'cache')
      mkdirSync(folder)
      chmodSync(folder, mode)
      assert.throws(() => privateFolder(folder), /cache is not private: .*cache is writable by others\. Make it/)
    })
  }

  test('refuses a folder in one that others may write to, unless only owners may rename there', () => {
    chmodSync(root, 0o777)
    assert.throws(() => privateFolder(join(root, 'cache')), /is writable by others/)
    chmodSync(root, 0o1777)
    privateFolder(join(root, 'cache'))
  })

  test("refuses another user's folder, also behind a link", asRoot, () => {
    mkdirSync(join(root, 'theirs'))
    chownSync(join(root, 'theirs'), NOBODY, NOBODY)
    symlinkSync(join(root, 'theirs'), join(root, 'link'))
    for (const name of ['theirs', 'link', 'theirs/cache']) {
      assert.throws(() => privateFolder(join(root, name)), /theirs belongs to another user \(uid 65534\)/)
    }
  })
})

describe('boot', () => {
  /** Runs a program that boots, and prints its compile cache and the mode of a file that it writes. */
  function run(env: Readonly<Record<string, string>>): { status: number | null; stdout: string; stderr: string } {
    const main = join(root, 'main.mjs')
    const file = join(root, 'written')
    writeFileSync(
      join(root, 'service.mjs'),
      `
      import { writeFileSync } from 'node:fs'
      import { getCompileCacheDir } from 'node:module'
      writeFileSync(${JSON.stringify(file)}, '')
      console.log(getCompileCacheDir() ?? 'none')`,
    )
    writeFileSync(main, `import { boot } from ${JSON.stringify(BOOT)}\nawait boot(() => import('./service.mjs'))`)
    const { NODE_COMPILE_CACHE: _, ...rest } = process.env
    const { status, stdout, stderr } = spawnSync(process.execPath, [main], {
      encoding: 'utf8',
      env: { ...rest, ...env },
    })
    return { status, stdout, stderr }
  }

  test('has its compile cache in the data folder, and writes files for its user alone', () => {
    const { stdout, stderr } = run({ TRIBUTARY_DATA_DIR: join(root, 'data') })
    assert.ok(stdout.startsWith(join(root, 'data', '.compile-cache')), stdout + stderr)
    assert.equal(modeOf(join(root, 'data', '.compile-cache')), 0o700)
    assert.equal(modeOf(join(root, 'written')), 0o600)
    assert.ok(readdirSync(join(root, 'data', '.compile-cache')).length > 0)
  })

  test('starts without the cache of a data folder where others may write, and says so', () => {
    mkdirSync(join(root, 'data', '.compile-cache'), { recursive: true })
    chmodSync(join(root, 'data', '.compile-cache'), 0o777)
    const { status, stdout, stderr } = run({ TRIBUTARY_DATA_DIR: join(root, 'data') })
    assert.equal(status, 0)
    assert.equal(stdout.trim(), 'none')
    assert.match(stderr, /starts without a compile cache.*\.compile-cache is writable by others/)
    assert.deepEqual(readdirSync(join(root, 'data', '.compile-cache')), [])
  })

  test('does not start when NODE_COMPILE_CACHE names such a folder', () => {
    mkdirSync(join(root, 'shared'))
    chmodSync(join(root, 'shared'), 0o777)
    const { status, stderr } = run({ NODE_COMPILE_CACHE: join(root, 'shared') })
    assert.equal(status, 1)
    assert.match(stderr, /^NODE_COMPILE_CACHE: .*shared is writable by others/)
    assert.equal(existsSync(join(root, 'written')), false)
  })
})
