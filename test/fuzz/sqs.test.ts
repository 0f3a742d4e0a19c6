import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parsePolicy } from '../../apps/sqs-ingest/src/filter/policy.ts'
import { findSpan } from '../../apps/sqs-ingest/src/json/json-text.ts'
import { fuzzIterations, fuzzTargets, replay } from './driver.ts'
import { fuzz, jsonTextTarget, policyTarget } from './sqs.fuzz.ts'
import { fuzzInWorker } from './watchdog.ts'

const seed = Number(process.env['TRIBUTARY_TEST_SEED'] ?? Date.now() % 2 ** 31)

test('policies, JSON, compressed data and bodies of SQS: a clear error or a result, within bounds', async (t) => {
  const report = await fuzzInWorker(new URL('./sqs.fuzz.ts', import.meta.url), fuzzIterations(), seed)
  t.diagnostic(`seed ${seed}: ${JSON.stringify({ ...report, findings: report.findings.length })}`)
  assert.deepEqual(report.findings, [])
  assert.equal(report.iterations, fuzzIterations())
  for (const [name, { past, of }] of Object.entries(report.pastByTarget)) {
    assert.ok(past >= of / 2, `${name}: only ${past} of ${of} inputs get past the first stage`)
  }
})

test('a planted filter that drops messages is found, and its seed makes the input again', async () => {
  const planted = policyTarget((text, options) => {
    const policy = parsePolicy(text, options)
    return text.includes('"$or"') ? { ...policy, matches: () => false } : policy
  })
  const report = await fuzzTargets([planted], 20_000, 1, { maxFindings: 1 })
  assert.equal(report.findings[0]?.kind, 'crash')
  assert.throws(() => replay(planted, report.findings[0]!.inputSeed), /one more alternative excludes the message/)
})

test('a planted search that does not know escaped quotes is found', async () => {
  const planted = jsonTextTarget((text, path) => findSpan(text.replaceAll('\\"', '\\\\'), path))
  const report = await fuzzTargets([planted], 20_000, 1, { maxFindings: 1 })
  assert.equal(report.findings[0]?.kind, 'crash')
})

test('the same seed gives the same report', async () => {
  const stages = async (): Promise<unknown> => (await fuzz(200, 7)).pastByTarget
  assert.deepEqual(await stages(), await stages())
})
