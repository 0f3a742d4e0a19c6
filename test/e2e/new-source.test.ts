import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { test, type TestContext } from 'node:test'
import { temporaryFolder } from '@tributary/harness'

const root = resolve(import.meta.dirname, '../..')

/** The repository as git knows it, with the packages that are installed here. */
function copyOfTheRepository(): string {
  const copy = join(temporaryFolder('new-source'), 'tributary')
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root })
  for (const file of listed.toString().split('\0')) {
    if (file === '') continue
    mkdirSync(dirname(join(copy, file)), { recursive: true })
    cpSync(join(root, file), join(copy, file))
  }
  for (const modules of ['node_modules', ...globSync('{apps,libs}/*/node_modules', { cwd: root })]) {
    symlinkSync(join(root, modules), join(copy, modules))
  }
  return copy
}

function run(t: TestContext, cwd: string, ...args: string[]): void {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, env, encoding: 'utf8' })
  t.diagnostic(`${args.join(' ')}: ${status}`)
  assert.equal(status, 0, `${args.join(' ')}:\n${stdout.slice(-4000)}${stderr.slice(-4000)}`)
}

test('a source from npm run new-source passes types, lint, its tests and the contract suite without a change', (t) => {
  const copy = copyOfTheRepository()
  run(t, copy, 'libs/testkit/src/new-source/new-source.ts', 'web-hook', '--no-install')
  const app = 'apps/web-hook-ingest'
  run(t, copy, 'node_modules/typescript/bin/tsc', '-p', '.', '--incremental', 'false')
  run(t, copy, 'node_modules/oxlint/bin/oxlint', app)
  run(t, copy, 'test/workspace/imports/main.ts')
  run(t, copy, 'node_modules/prettier/bin/prettier.cjs', '--check', app)
  run(t, copy, '--test', `${app}/test/stream.test.ts`)
  run(t, copy, '--test', `${app}/test/contract.test.ts`)
})
