import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { failureOf } from './bare-machine.ts'

const requirements = new URL('../../conformance/clients/packages/kafka-connect-py.txt', import.meta.url).pathname

const failureWith = (programs: Readonly<Record<string, string>>): string =>
  failureOf({ name: 'pythonPackages', argument: requirements }, programs)

test('without Python the error says so in one sentence', () => {
  assert.match(failureWith({}), /^HarnessError: Python 3 with pip is needed .* `python3` did not answer\.\n$/)
})

test("the error for packages that cannot be fetched contains pip's reason, and no incomplete folder is left", () => {
  // A unique version, so that the test finds no folder of another test.
  const version = `none-${process.pid}`
  const refusing = `[ "$1" = -c ] && echo ${version} && exit; echo 'ERROR: No matching distribution found for x' >&2; exit 1`
  const before = cached()
  assert.equal(
    failureWith({ python3: refusing }),
    'HarnessError: pip could not fetch the packages of kafka-connect-py.txt: No matching distribution found for x\n',
  )
  assert.deepEqual(cached(), before)
})

function cached(): string[] {
  const folder = join(import.meta.dirname, '../../../.tributary/cache')
  if (!existsSync(folder)) return []
  return readdirSync(folder).filter((name) => name.startsWith('python-kafka-connect-py-'))
}
