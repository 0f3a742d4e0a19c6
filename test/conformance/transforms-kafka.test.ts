import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { describeConfig, validateConfig } from '@tributary/config'
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

const PLUGINS = [...TRANSFORMATIONS, ...PREDICATES].filter(({ class: name }) => name.startsWith('org.apache.kafka.'))

describe("Kafka's transforms and predicates beside those of Kafka on a JVM", () => {
  let oracle: ConnectOracle
  before(async () => {
    oracle = await startConnectOracle()
  })
  after(async () => await oracle.stop())

  it('has the settings of Kafka: names, order, types, defaults, importance', async () => {
    const answers = await oracle.ask(PLUGINS.map((plugin) => ({ op: 'config', class: plugin.class })))
    const members = ['name', 'type', 'required', 'default_value', 'importance'] as const
    const shown = (keys: readonly Readonly<Record<string, unknown>>[]): unknown[] =>
      keys.map((key) => Object.fromEntries(members.map((member) => [member, key[member]])))
    for (const [i, plugin] of PLUGINS.entries()) {
      const ours = describeConfig(plugin.spec).map((key) => ({ ...key }))
      assert.deepEqual(shown(ours), shown(answers[i]!.keys!), plugin.class)
    }
  })

  it('validates settings with the errors of Kafka', async () => {
    const trials = PLUGINS.flatMap((plugin) => {
      const name = plugin.class.replace('org.apache.kafka.connect.transforms.', '').replace(/\$.*/, '')
      return Array.from({ length: LONG ? 1000 : 50 }, (_, i) => {
        return { plugin, config: CONFIGS[name]!(new Random(Random.seedOf(SEED, i))) }
      })
    })
    const answers = await oracle.ask(
      trials.map(({ plugin, config }) => ({ op: 'validate', class: plugin.class, config })),
    )
    for (const [i, { plugin, config }] of trials.entries()) {
      const { values } = validateConfig(plugin.spec, config)
      const ours = values.map(({ name, errors }) => ({ name, errors: errors.map(withoutReason) }))
      const theirs = answers[i]!.values!.map(({ name, errors }) => ({ name, errors: errors.map(withoutReason) }))
      const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1)
      const text = `${plugin.class} ${JSON.stringify(config)}`
      assert.deepEqual(ours.toSorted(byName), theirs.toSorted(byName), text)
    }
  })

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

  // Few records need not show every difference.
  if (LONG) {
    it('lists no difference that does not occur', () => {
      assert.deepEqual([...seen].toSorted(), [...Object.keys(DIFFERENCES), ...Object.keys(REFUSALS)].toSorted())
    })
  }
})

/** Why a regular expression is refused is in our words. */
function withoutReason(error: string): string {
  return error.replace(/(?<=Invalid regex: ).*/s, '…')
}

function pluginOf(name: string): (typeof PLUGINS)[number] {
  return PLUGINS.find((plugin) => plugin.class === name)!
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
