import assert from 'node:assert/strict'
import { test } from 'node:test'
import { validateConfig } from '@tributary/config'
import { settingsTarget } from './config.fuzz.ts'
import { fuzzIterations, fuzzTargets, Random, replay } from './driver.ts'
import type { Finding, Target } from './driver.ts'
import { fuzzInWorker } from './watchdog.ts'

/** Each run has a new seed, which the report names. The seed of a finding makes its input again. */
const seed = Number(process.env['TRIBUTARY_TEST_SEED'] ?? Date.now() % 2 ** 31)

test('settings, JSON, properties and lists: a clear error or a result, within bounds', async (t) => {
  const report = await fuzzInWorker(new URL('./config.fuzz.ts', import.meta.url), fuzzIterations(), seed)
  t.diagnostic(`seed ${seed}: ${JSON.stringify({ ...report, findings: report.findings.length })}`)
  assert.deepEqual(report.findings, [])
  assert.equal(report.iterations, fuzzIterations())
  for (const [name, { past, of }] of Object.entries(report.pastByTarget)) {
    assert.ok(past >= of / 2, `${name}: only ${past} of ${of} inputs get past the first stage`)
  }
})

const findBug = async (validate: typeof validateConfig): Promise<Finding | undefined> => {
  const report = await fuzzTargets([settingsTarget(validate)], 20_000, 1, { maxFindings: 1 })
  return report.findings[0]
}

test('a planted crash is found, and its seed makes it again', async () => {
  const planted: typeof validateConfig = (data, props, options) => {
    if (props['port']?.startsWith('-') && props['tasks.max'] !== undefined) throw new TypeError('planted')
    return validateConfig(data, props, options)
  }
  const finding = await findBug(planted)
  assert.equal(finding?.kind, 'crash')
  assert.throws(() => replay(settingsTarget(planted), finding.inputSeed), /planted/)
})

test('a planted leak of a secret is found', async () => {
  const finding = await findBug((data, props, options) => {
    const answer = validateConfig(data, props, options)
    const leaks = (name: string): boolean => name === 'key' && props['cert'] === ''
    return { ...answer, values: answer.values.map((v) => (leaks(v.name) ? { ...v, value: props['key'] ?? null } : v)) }
  })
  assert.match(finding?.message ?? '', /a secret is in the answer/)
})

test('a planted quadratic search is found as slow', async () => {
  const finding = await findBug((data, props, options) => {
    if (/(\s*,)*;/.test('\t'.repeat(props['topic'] === 'EVENTS' ? 12_000 : 0))) throw new TypeError('never')
    return validateConfig(data, props, options)
  })
  assert.equal(finding?.kind, 'slow')
})

test('a planted waste of memory is found', async () => {
  const finding = await findBug((data, props, options) => {
    if (props['topic'] === 'EVENTS') Buffer.alloc(160 * 1024 * 1024, 1)
    return validateConfig(data, props, options)
  })
  assert.equal(finding?.kind, 'memory')
})

test('a planted hang ends the run and is reported with its seed', async () => {
  const hanging = new URL(
    `data:text/javascript,${encodeURIComponent('export function fuzz(n, seed, progress) { progress(7, 11); for (;;); }')}`,
  )
  await assert.rejects(fuzzInWorker(hanging, 1, 1, 500), /hangs at input 7, seed 11/)
})

test('the same seed gives the same inputs', () => {
  const seen: Target<unknown> = settingsTarget()
  const shown = (): string[] => Array.from({ length: 50 }, (_, i) => seen.show(seen.generate(new Random(i))))
  assert.deepEqual(shown(), shown())
})
