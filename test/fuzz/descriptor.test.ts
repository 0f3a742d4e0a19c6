import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadDescriptorSet } from '@tributary/grpc-ingest/schema'
import { setTarget } from './descriptor.fuzz.ts'
import { fuzzIterations, fuzzTargets, replay } from './driver.ts'
import { fuzzInWorker } from './watchdog.ts'

const seed = Number(process.env['TRIBUTARY_TEST_SEED'] ?? Date.now() % 2 ** 31)

test('descriptors and .proto text: a clear error or a schema, within bounds', async (t) => {
  const report = await fuzzInWorker(new URL('./descriptor.fuzz.ts', import.meta.url), fuzzIterations(), seed)
  t.diagnostic(`seed ${seed}: ${JSON.stringify({ ...report, findings: report.findings.length })}`)
  assert.deepEqual(report.findings, [])
  assert.equal(report.iterations, fuzzIterations())
  for (const [name, { past, of }] of Object.entries(report.pastByTarget)) {
    assert.ok(past >= of / 2, `${name}: only ${past} of ${of} inputs get past the first stage`)
  }
})

test('a planted crash of the loader is found, and its seed makes it again', async () => {
  const planted = setTarget((bytes) => {
    const root = loadDescriptorSet(bytes, 'input')
    for (const type of root.messages.values()) {
      if (type.fields.some((f) => f.required)) throw new TypeError('planted')
    }
    return root
  })
  const report = await fuzzTargets([planted], 20_000, 1, { maxFindings: 1 })
  assert.equal(report.findings[0]?.kind, 'crash')
  assert.throws(() => replay(planted, report.findings[0]!.inputSeed), /planted/)
})
