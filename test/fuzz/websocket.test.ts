import assert from 'node:assert/strict'
import { test } from 'node:test'
import { elementTexts } from '../../apps/ws-ingest/src/expressions/json-path.ts'
import { fuzzIterations, fuzzTargets, replay } from './driver.ts'
import { fuzzInWorker } from './watchdog.ts'
import { fuzz, splitTarget } from './websocket.fuzz.ts'

const seed = Number(process.env['TRIBUTARY_TEST_SEED'] ?? Date.now() % 2 ** 31)

test('splitting, rules, templates and records: a clear error or a result, within bounds', async (t) => {
  const report = await fuzzInWorker(new URL('./websocket.fuzz.ts', import.meta.url), fuzzIterations(), seed)
  t.diagnostic(`seed ${seed}: ${JSON.stringify({ ...report, findings: report.findings.length })}`)
  assert.deepEqual(report.findings, [])
  assert.equal(report.iterations, fuzzIterations())
  for (const [name, { past, of }] of Object.entries(report.pastByTarget)) {
    assert.ok(past >= of / 2, `${name}: only ${past} of ${of} inputs get past the first stage`)
  }
})

test('a planted splitter that does not know escaped quotes is found, and its seed makes the input again', async () => {
  const planted = splitTarget((json, path) => elementTexts(json.replaceAll('\\"', '\\\\'), path))
  const report = await fuzzTargets([planted], 20_000, 1, { maxFindings: 1 })
  assert.equal(report.findings[0]?.kind, 'crash')
  assert.throws(() => replay(planted, report.findings[0]!.inputSeed))
})

test('the same seed gives the same report', async () => {
  const stages = async (): Promise<unknown> => (await fuzz(200, 7)).pastByTarget
  assert.deepEqual(await stages(), await stages())
})
