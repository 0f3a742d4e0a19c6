import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { fuzzTargets } from './driver.ts'
import type { Finding } from './driver.ts'
import { restFuzzer } from './rest.fuzz.ts'
import { fuzzInWorker } from './watchdog.ts'

const seed = Number(process.env['TRIBUTARY_TEST_SEED'] ?? Date.now() % 2 ** 31)
const iterations = process.env['TRIBUTARY_TEST_LONG'] === '1' ? 100_000 : 10_000

test('requests and bytes: a documented answer below 500, no hang, and nothing is left in memory', async (t) => {
  const report = await fuzzInWorker(new URL('./rest.fuzz.ts', import.meta.url), iterations, seed)
  t.diagnostic(`seed ${seed}: ${JSON.stringify({ ...report, findings: report.findings.length })}`)
  assert.deepEqual(report.findings, [])
  assert.equal(report.iterations, iterations)
  for (const [name, share] of Object.entries({ requests: 2, bytes: 3 })) {
    const { past, of } = report.pastByTarget[name]!
    assert.ok(past >= of / share, `${name}: only ${past} of ${of} inputs get past the first stage`)
  }
})

const findBug = async (plant: (app: FastifyInstance) => void): Promise<Finding | undefined> => {
  const { targets, close } = await restFuzzer(plant)
  const report = await fuzzTargets(targets, 2000, 1, { maxFindings: 1 })
  await close()
  return report.findings[0]
}

test('a planted crash and a planted hang of the event loop are found', async () => {
  const crash = await findBug((app) => {
    app.addHook('preHandler', async (request) => {
      if (request.url.includes('__proto__')) throw new TypeError('planted')
    })
  })
  assert.match(crash?.message ?? '', /500 .*planted/)
  const hang = await findBug((app) => {
    app.addHook('preHandler', async (request) => {
      const until = performance.now() + (request.url.includes('__proto__') ? 150 : 0)
      while (performance.now() < until);
    })
  })
  assert.equal(hang?.kind, 'slow')
})
