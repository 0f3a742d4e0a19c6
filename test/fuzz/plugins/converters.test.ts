import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JsonConverter } from '@tributary/converters'
import { fuzz, readTarget } from './converters.fuzz.ts'
import { fuzzIterations, fuzzTargets, replay } from '../driver.ts'
import { fuzzInWorker } from '../watchdog.ts'

const seed = Number(process.env['TRIBUTARY_TEST_SEED'] ?? Date.now() % 2 ** 31)
/** 10,000 inputs, or 1,000,000. */
const inputs = fuzzIterations(process.env['TRIBUTARY_TEST_LONG'] === '1' ? 1 : 2)

test('converters: bytes or data, or an error of the record or of the settings, within bounds', async (t) => {
  const report = await fuzzInWorker(new URL('./converters.fuzz.ts', import.meta.url), inputs, seed)
  t.diagnostic(`seed ${seed}: ${JSON.stringify({ ...report, findings: report.findings.length })}`)
  assert.deepEqual(report.findings, [])
  assert.equal(report.iterations, inputs)
  for (const [name, { past, of }] of Object.entries(report.pastByTarget)) {
    assert.ok(past >= of / 2, `${name}: only ${past} of ${of} inputs get past the settings`)
  }
})

test('a planted converter that parses without a guard is found, and its seed makes the input again', async () => {
  const planted = readTarget(() =>
    Object.assign(new JsonConverter(), {
      toConnectData: (_topic: string, value: Uint8Array | null) => ({
        schema: null,
        value: JSON.parse(String(value)) as unknown,
      }),
    }),
  )
  const report = await fuzzTargets([planted], 20_000, 1, { maxFindings: 1 })
  assert.equal(report.findings[0]?.kind, 'crash')
  assert.throws(() => replay(planted, report.findings[0]!.inputSeed), SyntaxError)
})

test('the same seed gives the same report', async () => {
  const stages = async (): Promise<unknown> => (await fuzz(200, 7)).pastByTarget
  assert.deepEqual(await stages(), await stages())
})
