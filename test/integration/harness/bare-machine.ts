import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Calls a function of the harness in a process whose PATH holds only `programs` (name → shell script), and returns the
 * line that names the error with which the call rejects.
 */
export function failureOf(
  call: { readonly name: 'startKafka' | 'startElasticMq' | 'pythonPackages'; readonly argument?: string },
  programs: Readonly<Record<string, string>>,
): string {
  const bin = mkdtempSync(join(tmpdir(), 'tributary-path-'))
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  const program = `
    import { ${call.name} } from '@tributary/harness'
    await ${call.name}(...process.argv.slice(1)).catch((error) => {
      console.log(error.name + ': ' + error.message)
      process.exit(1)
    })`
  const args = call.argument === undefined ? [] : [call.argument]
  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', program, ...args], {
    cwd: import.meta.dirname,
    env: { PATH: bin },
    encoding: 'utf8',
  })
  rmSync(bin, { recursive: true })
  assert.equal(status, 1)
  return stdout
}
