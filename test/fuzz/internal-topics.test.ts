import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConfigRecord } from '../../libs/connect-storage/src/configs/config-records.ts'
import { fuzzTargets, replay } from './driver.ts'
import { configsTarget, RECORDS_PER_INPUT } from './internal-topics.fuzz.ts'
import { fuzzInWorker } from './watchdog.ts'

const seed = Number(process.env['TRIBUTARY_TEST_SEED'] ?? Date.now() % 2 ** 31)
/** Seven of the nine targets are topics. */
const RECORDS = process.env['TRIBUTARY_TEST_LONG'] === '1' ? 100_000 : 10_000
const iterations = (RECORDS / RECORDS_PER_INPUT) * (9 / 7)

test('records of internal topics, groups and logs: read or skipped within bounds, then used, and nothing is left of them', async (t) => {
  const report = await fuzzInWorker(new URL('./internal-topics.fuzz.ts', import.meta.url), iterations, seed)
  t.diagnostic(`seed ${seed}: ${JSON.stringify({ ...report, findings: report.findings.length })}`)
  assert.deepEqual(report.findings, [])
  for (const [name, { past, of }] of Object.entries(report.pastByTarget)) {
    assert.ok(past >= of / 4, `${name}: only ${past} of ${of} inputs get past the first stage`)
  }
})

test('a planted reader that lets an empty name pass is found, and its seed makes the input again', async () => {
  const planted = configsTarget((key, value) => {
    const read = readConfigRecord(key === 'connector-' ? 'connector-x' : key, value)
    return key === 'connector-' && read.kind === 'connector' ? { ...read, connector: '' } : read
  })
  const report = await fuzzTargets([planted], 20_000, 1, { maxFindings: 1 })
  assert.equal(report.findings[0]?.kind, 'crash')
  assert.throws(() => replay(planted, report.findings[0]!.inputSeed))
})

test('a planted reader that throws a TypeError is found', async () => {
  const planted = configsTarget((key, value) => {
    if (value !== null && Buffer.from(value).includes('null')) throw new TypeError('cannot read properties of null')
    return readConfigRecord(key, value)
  })
  const report = await fuzzTargets([planted], 1000, 1, { maxFindings: 1 })
  assert.match(report.findings[0]!.message, /TypeError/)
})
