import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const start = `
  import { startKafka } from '@tributary/harness'
  await startKafka().catch((error) => { console.log(error.name + ': ' + error.message); process.exit(1) })`

/** What startKafka says on a machine whose PATH holds `programs` (name → shell script) alone. */
function failureWith(programs: Readonly<Record<string, string>>): string {
  const bin = mkdtempSync(join(tmpdir(), 'tributary-path-'))
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', start], {
    cwd: import.meta.dirname,
    env: { PATH: bin },
    encoding: 'utf8',
  })
  rmSync(bin, { recursive: true })
  assert.equal(status, 1)
  return stdout
}

test('a machine without Docker and Java is told so in one sentence', () => {
  assert.match(
    failureWith({}),
    /^HarnessError: Java is needed to run Kafka and `java` was not found: .*KAFKA_BROKERS.*\.\n$/,
  )
})

test('a Docker client without an engine is no Docker', () => {
  assert.match(failureWith({ docker: 'echo' }), /^HarnessError: Java is needed/)
})

test('a Java older than 17 is told so with its version', () => {
  for (const [line, version] of [
    ['openjdk version "11.0.22" 2024-01-16', '11'],
    ['java version "1.8.0_402"', '8'],
  ]) {
    assert.match(failureWith({ java: `echo '${line}' >&2` }), new RegExp(`^HarnessError: Java ${version} is too old`))
  }
})
