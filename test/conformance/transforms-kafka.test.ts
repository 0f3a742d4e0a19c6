import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { type ConnectOracle, startConnectOracle } from '@tributary/harness'
import { PREDICATES, TRANSFORMATIONS } from '@tributary/transforms'
import { Random } from '../support/random.ts'
import { compare, type Comparison } from './transforms/compare.ts'
import { CONFIGS, SIDED } from './transforms/configs.ts'
import { dateTrials } from './transforms/dates.ts'
import { DIFFERENCES, differenceOf, REFUSALS } from './transforms/differences.ts'
import { namesIn, recordOf } from './transforms/records.ts'

const LONG = process.env['TRIBUTARY_TEST_LONG'] === '1'
/** Records for each class. */
const RECORDS = LONG ? 10_000 : 300
const RECORDS_OF_TRIAL = 10
const SEED = Number(process.env['TRIBUTARY_TEST_SEED'] ?? 15)

describe("Kafka's transforms and predicates beside those of Kafka on a JVM", () => {
  let oracle: ConnectOracle
  before(async () => {
    oracle = await startConnectOracle()
  })
  after(async () => await oracle.stop())

  it('writes and reads dates by the patterns of SimpleDateFormat', async () => {
    for (let done = 0; done < RECORDS; done += 1000) {
      const count = Math.ceil(Math.min(1000, RECORDS - done) / 20)
      const trials = Array.from({ length: count }, (_, i) => dateTrials(Random.seedOf(SEED, done + i))).flat()
      for (const comparison of await compare(oracle, trials)) check(comparison)
    }
  })

  for (const [name, config] of Object.entries(CONFIGS)) {
    const forms = SIDED.includes(name) ? ['$Key', '$Value'] : ['']
    it(`finds the same results and errors of ${name}`, async () => {
      let compared = 0
      for (let index = 0; compared < RECORDS;) {
        const count = Math.ceil(Math.min(1000, RECORDS - compared) / RECORDS_OF_TRIAL)
        const trials = Array.from({ length: count }, () => {
          const random = new Random(Random.seedOf(SEED, index++))
          const plugin = pluginOf(`org.apache.kafka.connect.transforms.${name}${forms[index % forms.length]!}`)
          const settings = config(random)
          const records = Array.from({ length: RECORDS_OF_TRIAL }, () => recordOf(random, namesIn(settings)))
          return { plugin, config: settings, records }
        })
        const comparisons = await compare(oracle, trials)
        for (const comparison of comparisons) check(comparison)
        compared += comparisons.length
      }
    })
  }

  it('lists no difference that does not occur', { skip: !LONG }, () => {
    assert.deepEqual([...seen].toSorted(), [...Object.keys(DIFFERENCES), ...Object.keys(REFUSALS)].toSorted())
  })
})

function pluginOf(name: string): (typeof TRANSFORMATIONS)[number] | (typeof PREDICATES)[number] {
  return [...TRANSFORMATIONS, ...PREDICATES].find((plugin) => plugin.class === name)!
}

/** Names of the differences that occurred. */
const seen = new Set<string>()

function check(comparison: Comparison): void {
  const { trial, record, ours, theirs } = comparison
  const expected = theirs.error
    ? { error: { kind: theirs.error.kind, message: theirs.error.message } }
    : { result: theirs.result }
  if (isDeepStrictEqual(ours, expected)) return
  const difference = differenceOf(comparison)
  if (difference === undefined) {
    const text = `${trial.plugin.class} ${JSON.stringify(trial.config)}: ${theirs.error?.class ?? ''}`
    assert.deepEqual({ ...ours, record }, { ...expected, record }, text)
  } else seen.add(difference)
}
