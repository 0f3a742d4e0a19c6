import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { workspaceRoot } from './workspace.ts'

/** The second driver of the producer. It may be removed one day, and no other code may have to change then. */
const FOLDER = 'libs/kafka-producer/src/wire/kafkajs'
/** The file that loads the folder's entry when the driver is chosen. */
const LOADER = 'libs/kafka-producer/src/create-producer.ts'

const SPECIFIER = /(?:from|import|require)\s*\(?\s*['"`]([^'"`]+)['"`]/g

/** Whether a file's import names kafkajs, or a file of the folder. */
function reachesKafkajs(file: string, specifier: string): boolean {
  if (/^kafkajs(\/|$)/.test(specifier)) return true
  return specifier.startsWith('.') && join(dirname(file), specifier).startsWith(FOLDER)
}

test('only the driver of that name imports kafkajs, and only its loader knows the folder', () => {
  const files = globSync('{apps,libs}/*/src/**/*.ts', { cwd: workspaceRoot }).filter((f) => !f.startsWith(FOLDER))
  const found = files.filter((file) => {
    const text = readFileSync(join(workspaceRoot, file), 'utf8')
    return Array.from(text.matchAll(SPECIFIER), ([, specifier]) => specifier!).some((s) => reachesKafkajs(file, s))
  })
  assert.deepEqual(found, [LOADER])
})

test('the folder has one entry', () => {
  const loader = readFileSync(join(workspaceRoot, LOADER), 'utf8')
  const loaded = Array.from(loader.matchAll(SPECIFIER), ([, specifier]) => specifier!).filter((s) =>
    s.includes('kafkajs'),
  )
  assert.equal(loaded.length, 1)
  assert.match(loaded[0]!, /^\.\/wire\/kafkajs\/index\b/)
})
