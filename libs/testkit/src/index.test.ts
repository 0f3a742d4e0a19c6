import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

test('the main entry imports neither the runtime nor a Kafka: only the sub-path kafka does', () => {
  const files = globSync('*.ts', { cwd: import.meta.dirname }).filter((file) => !file.endsWith('.test.ts'))
  assert.notEqual(files.length, 0)
  const imported = files.flatMap((file) => {
    const text = readFileSync(join(import.meta.dirname, file), 'utf8')
    return [...text.matchAll(/ from '((?:@tributary\/|\.{1,2}\/.*\/)[^']*)'/g)].map(([, name]) => `${file}: ${name}`)
  })
  const astray = imported.filter((line) => !/: @tributary\/(connect-api|async)$/.test(line))
  assert.deepEqual(astray, [])
})
