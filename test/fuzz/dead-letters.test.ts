import assert from 'node:assert/strict'
import { test } from 'node:test'
import { filterTarget, scene } from './dead-letters.fuzz.ts'
import { Model } from './dead-letters-model.ts'
import { fuzzIterations, fuzzTargets } from './driver.ts'
import { fuzzInWorker } from './watchdog.ts'

const seed = Number(process.env['TRIBUTARY_TEST_SEED'] ?? Date.now() % 2 ** 31)
/** 200, or 10,000: each asks ten questions. */
const iterations = fuzzIterations(100)

test('filters of dead letters: pages, counts and statistics as a plain array gives them', async (t) => {
  const report = await fuzzInWorker(new URL('./dead-letters.fuzz.ts', import.meta.url), iterations, seed)
  t.diagnostic(`seed ${seed}: ${JSON.stringify({ ...report, findings: report.findings.length })}`)
  assert.deepEqual(report.findings, [])
  assert.equal(report.iterations, iterations)
  for (const [name, { past, of }] of Object.entries(report.pastByTarget)) {
    assert.ok(past >= of / 4, `${name}: only ${past} of ${of} filters find anything`)
  }
})

test('a planted event that does not reach letters which come later is found', async () => {
  class Planted extends Model {
    override add(...args: Parameters<Model['add']>): void {
      const events = this.events.splice(0)
      super.add(...args)
      this.events.push(...events)
    }
  }
  const made = await scene(1, 200, new Planted())
  const report = await fuzzTargets([filterTarget(made)], 200, 1, { maxFindings: 1 })
  made.close()
  assert.equal(report.findings[0]?.kind, 'crash')
})
