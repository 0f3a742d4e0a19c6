import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const requirements = new URL('../../conformance/clients/packages/kafka-connect-py.txt', import.meta.url).pathname

const fetch = `
  import { pythonPackages } from '@tributary/harness'
  await pythonPackages(process.argv[1]).catch((error) => { console.log(error.name + ': ' + error.message); process.exit(1) })`

/** What `pythonPackages` says on a machine whose PATH holds this python3 alone, a shell script; null for none. */
function failureWith(python3: string | null): string {
  const bin = mkdtempSync(join(tmpdir(), 'tributary-path-'))
  if (python3 !== null) {
    writeFileSync(join(bin, 'python3'), `#!/bin/sh\n${python3}\n`)
    chmodSync(join(bin, 'python3'), 0o755)
  }
  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', fetch, requirements], {
    cwd: import.meta.dirname,
    env: { PATH: bin },
    encoding: 'utf8',
  })
  rmSync(bin, { recursive: true })
  assert.equal(status, 1)
  return stdout
}

test('a machine without Python is told so in one sentence', () => {
  assert.match(failureWith(null), /^HarnessError: Python 3 with pip is needed .* `python3` did not answer\.\n$/)
})

test('packages that cannot be fetched are told with the reason of pip, and leave nothing half-made', () => {
  // A version of its own, so that no folder of another test is found.
  const version = `none-${process.pid}`
  const refusing = `[ "$1" = -c ] && echo ${version} && exit; echo 'ERROR: No matching distribution found for x' >&2; exit 1`
  const before = cached()
  assert.equal(
    failureWith(refusing),
    'HarnessError: pip could not fetch the packages of kafka-connect-py.txt: No matching distribution found for x\n',
  )
  assert.deepEqual(cached(), before)
})

function cached(): string[] {
  const folder = join(import.meta.dirname, '../../../.tributary/cache')
  if (!existsSync(folder)) return []
  return readdirSync(folder).filter((name) => name.startsWith('python-kafka-connect-py-'))
}
