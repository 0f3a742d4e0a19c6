import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileReader } from '../../../libs/converters/src/avro/read.ts'
import { fuzz, tripTarget } from './avro.fuzz.ts'
import { fuzzIterations, fuzzTargets, replay } from '../driver.ts'
import { fuzzInWorker } from '../watchdog.ts'

const seed = Number(process.env['TRIBUTARY_TEST_SEED'] ?? Date.now() % 2 ** 31)

test('Avro: what is written is read, and damaged bytes and schemas are a data error or a value, within bounds', async (t) => {
  const report = await fuzzInWorker(new URL('./avro.fuzz.ts', import.meta.url), fuzzIterations(), seed)
  t.diagnostic(`seed ${seed}: ${JSON.stringify({ ...report, findings: report.findings.length })}`)
  assert.deepEqual(report.findings, [])
  assert.equal(report.iterations, fuzzIterations())
  for (const [name, { past, of }] of Object.entries(report.pastByTarget)) {
    assert.ok(past >= of / 2, `${name}: only ${past} of ${of} inputs get past the first stage`)
  }
})

test('a planted reader that takes 0 for null is found, and its seed makes the input again', async () => {
  const planted = tripTarget((type, schema) => {
    const read = compileReader(type, schema)
    return (cursor) => {
      const value = read(cursor)
      return value === 0 ? 1 : value
    }
  })
  const report = await fuzzTargets([planted], 20_000, 1, { maxFindings: 1 })
  assert.equal(report.findings[0]?.kind, 'crash')
  assert.throws(() => replay(planted, report.findings[0]!.inputSeed), assert.AssertionError)
})

test('the same seed gives the same report', async () => {
  const stages = async (): Promise<unknown> => (await fuzz(200, 7)).pastByTarget
  assert.deepEqual(await stages(), await stages())
})
