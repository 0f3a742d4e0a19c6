import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DataCoalescer } from '../../apps/grpc-ingest/src/transport/data-coalescer.ts'
import { framesTarget } from './decoder.frames.ts'
import { fuzz, messageTarget } from './decoder.fuzz.ts'
import { fuzzIterations, fuzzTargets, replay } from './driver.ts'
import { fuzzInWorker } from './watchdog.ts'

const seed = Number(process.env['TRIBUTARY_TEST_SEED'] ?? Date.now() % 2 ** 31)

test('messages, requests and frames: a clear error or a result, within bounds', async (t) => {
  const report = await fuzzInWorker(new URL('./decoder.fuzz.ts', import.meta.url), fuzzIterations(), seed)
  t.diagnostic(`seed ${seed}: ${JSON.stringify({ ...report, findings: report.findings.length })}`)
  assert.deepEqual(report.findings, [])
  assert.equal(report.iterations, fuzzIterations())
  for (const [name, { past, of }] of Object.entries(report.pastByTarget)) {
    assert.ok(past >= of / 2, `${name}: only ${past} of ${of} inputs get past the first stage`)
  }
})

test('a planted crash of the decoder is found, and its seed makes it again', async () => {
  const planted = messageTarget((_type, bytes) => {
    if (bytes.length > 2 && bytes.at(-1) === 0x80) throw new RangeError('planted')
    return '{}'
  })
  const report = await fuzzTargets([planted], 20_000, 1, { maxFindings: 1 })
  assert.equal(report.findings[0]?.kind, 'crash')
  assert.throws(() => replay(planted, report.findings[0]!.inputSeed), /planted/)
})

test('a planted text that is not JSON is found', async () => {
  const planted = messageTarget((type) => (type === 'google.protobuf.Any' ? '{"@type":}' : '{}'))
  const report = await fuzzTargets([planted], 100, 1, { maxFindings: 1 })
  assert.match(report.findings[0]?.message ?? '', /JSON/)
})

test('a frame that loses its last byte is found', async () => {
  const planted = framesTarget(() => {
    const coalescer = new DataCoalescer()
    return { push: (bytes) => coalescer.push(bytes.length === 17 ? bytes.subarray(0, -1) : bytes) }
  })
  const report = await fuzzTargets([planted], 2000, 1, { maxFindings: 1 })
  assert.match(report.findings[0]?.message ?? '', /payload is held, or lost|deepEqual/)
})

test('the same seed gives the same report', async () => {
  const stages = async (): Promise<unknown> => (await fuzz(200, 7)).pastByTarget
  assert.deepEqual(await stages(), await stages())
})
