import assert from 'node:assert/strict'
import {
  type ConnectRecord,
  errorKind,
  type Predicate,
  type PredicatePlugin,
  type Props,
  type Transformation,
  type TransformationPlugin,
} from '@tributary/connect-api'
import { closeChain, createChain, PREDICATES, TRANSFORMATIONS } from '@tributary/transforms'
import { ConnectGenerator } from '../../support/connect-generator.ts'
import { settingsFor } from '../../support/plugin-settings.ts'
import {
  fuzzTargets,
  mutateProps,
  mutateText,
  type Progress,
  type Random,
  type Report,
  type Target,
} from '../driver.ts'

const RECORDS = 3

interface Play<P> {
  readonly plugin: P
  readonly props: Props
  readonly records: readonly ConnectRecord[]
}

/** Any record, under any settings: a record, null, a DataError or a ConfigError. The record that came in stays as it is. */
export function transformTarget(
  plugins: readonly TransformationPlugin[] = TRANSFORMATIONS,
): Target<Play<TransformationPlugin>> {
  // prettier-ignore
  return target('transforms', plugins, (transformation: Transformation, record) => {
    const { topic, key, value } = record
    const result = transformation.apply(record)
    assert.ok(record.topic === topic && Object.is(record.key, key) && Object.is(record.value, value), 'it was changed')
    assert.ok(result === null || typeof result.topic === 'string', 'no record')
  })
}

const predicateTarget: Target<Play<PredicatePlugin>> = target(
  'predicates',
  PREDICATES,
  (predicate: Predicate, record) => assert.equal(typeof predicate.test(record), 'boolean'),
)

function target<I extends { close?(): void }, P extends Readonly<{ class: string; spec: TransformationPlugin['spec'] }> & { create(props: Props): I }>( // prettier-ignore
  name: string,
  plugins: readonly P[],
  play: (instance: I, record: ConnectRecord) => void,
): Target<Play<P>> {
  return {
    name,
    generate(random) {
      const plugin = random.pick(plugins)
      const generator = new ConnectGenerator(random, { depth: 2 })
      const records = Array.from({ length: RECORDS }, () => randomRecord(random, generator))
      return { plugin, props: randomProps(random, settingsFor(plugin)), records }
    },
    run({ plugin, props, records }) {
      const instance = allowing('config', () => plugin.create(props))
      if (instance === null) return 'refused'
      for (const record of records) allowing('data', () => play(instance, record))
      instance.close?.()
      return 'past'
    },
    show: ({ plugin, props, records }) => `${plugin.class} ${JSON.stringify(props)} ${shown(records)}`,
  }
}

function randomRecord(random: Random, generator: ConnectGenerator): ConnectRecord {
  const record = generator.record()
  // Fields of the names that the settings have, so that transforms of fields find some.
  if (random.chance(0.3)) {
    const value = Object.fromEntries(
      ['string', 'a', 'timestamp', 'int32', '__proto__'].map((name) => [name, generator.schemaless(1)]),
    )
    return { ...record, value, valueSchema: null }
  }
  return random.chance(0.1) ? { ...record, topic: mutateText(random, record.topic) } : record
}

function randomProps(random: Random, props: Props): Props {
  if (random.chance(0.5)) return props
  const mutated = Object.entries(mutateProps(random, props)).filter(([, value]) => value !== null)
  return Object.fromEntries(mutated) as Props
}

/** The settings of a whole chain: a chain, or a ConfigError on one of its keys. */
const chainTarget: Target<Props> = {
  name: 'chain',
  generate(random) {
    const [one, other] = [random.pick(TRANSFORMATIONS), random.pick(TRANSFORMATIONS)]
    const predicate = random.pick(PREDICATES)
    const behind = (prefix: string, { class: name, spec }: TransformationPlugin | PredicatePlugin): Props =>
      Object.fromEntries(
        Object.entries({ type: name, ...settingsFor({ class: name, spec }) }).map(([key, value]) => [
          prefix + key,
          value,
        ]),
      )
    const props = {
      transforms: 'a,b',
      ...behind('transforms.a.', one),
      ...behind('transforms.b.', other),
      'transforms.a.predicate': 'p',
      'transforms.a.negate': 'true',
      predicates: 'p',
      ...behind('predicates.p.', predicate),
    }
    return randomProps(random, props)
  },
  run(props) {
    try {
      assert.deepEqual(closeChain(createChain(props, { transformations: TRANSFORMATIONS, predicates: PREDICATES })), [])
      return 'past'
    } catch (error) {
      if (errorKind(error) !== 'config') throw error
      assert.equal(typeof (error as { field?: unknown }).field, 'string', 'the error names no key')
      return 'refused'
    }
  },
  show: (props) => JSON.stringify(props),
}

/** The answer of code that may refuse its input with an error of this kind; null then. */
export function allowing<T>(kind: 'config' | 'data', run: () => T): T | null {
  try {
    return run()
  } catch (error) {
    if (errorKind(error) === kind) return null
    throw error
  }
}

export function shown(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item === 'bigint') return `${item}n`
    return item instanceof Map ? { map: [...(item as Map<unknown, unknown>)] } : item
  })
}

/** Runs `iterations` inputs over transforms, predicates and chains. */
export function fuzz(iterations: number, seed: number, progress?: Progress): Promise<Report> {
  // Most of the code is in the transforms.
  const targets = [transformTarget(), transformTarget(), predicateTarget, chainTarget]
  return fuzzTargets(targets, iterations, seed, { ...(progress && { progress }) })
}
