import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TransformationPlugin } from '@tributary/connect-api'
import { fuzzIterations, fuzzTargets } from './driver.ts'
import { filterPlugin, grammarTarget } from './expressions.fuzz.ts'
import { fuzzInWorker } from './watchdog.ts'

const seed = Number(process.env['TRIBUTARY_TEST_SEED'] ?? Date.now() % 2 ** 31)

/** 1,000, or 50,000: an expression may take half of the time that an input has. */
const iterations = fuzzIterations(20)

test('expressions: a result or a clear error, within bounds', async (t) => {
  const report = await fuzzInWorker(new URL('./expressions.fuzz.ts', import.meta.url), iterations, seed)
  t.diagnostic(`seed ${seed}: ${JSON.stringify({ ...report, findings: report.findings.length })}`)
  assert.deepEqual(report.findings, [])
  assert.equal(report.iterations, iterations)
  for (const [name, { past, of }] of Object.entries(report.pastByTarget)) {
    assert.ok(past >= of / 2, `${name}: only ${past} of ${of} expressions can be read`)
  }
})

test('a planted crash is found', async () => {
  const planted: TransformationPlugin = {
    ...filterPlugin,
    create: (props) => {
      if (props['condition']!.includes('duration("1h") in ')) throw new TypeError('planted')
      return filterPlugin.create(props)
    },
  }
  const report = await fuzzTargets([grammarTarget(planted)] as never, 20_000, 1, { maxFindings: 1 })
  assert.equal(report.findings[0]?.kind, 'crash')
})
