import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type {
  ConnectRecord,
  Predicate,
  PredicatePlugin,
  Props,
  Transformation,
  TransformationPlugin,
} from '@tributary/connect-api'
import {
  frozen,
  mustBeClean,
  mustBePlain,
  mustDocument,
  mustRefuse,
  orDataError,
  type RefusedSettings,
} from './plugin-checks.ts'
import { sampleRecords } from './sample-records.ts'

export interface TransformFixture {
  /** Settings with which the plugin can be created. */
  readonly props: Props
  /** What it refuses beyond its spec: settings that are laid over `props`, and the key that the error names. */
  readonly refused?: readonly RefusedSettings[]
  /** Records of its own kind, made anew by each call; the suite has records of every other kind. */
  readonly records?: () => readonly ConnectRecord[]
}

/** Tests what every transform promises. `apply` gets records of every kind; a DataError is an answer too. */
export function transformContract(plugin: TransformationPlugin, fixture: TransformFixture): void {
  pluginContract('transform', plugin, fixture, (transformation: Transformation, record) => {
    const result = orDataError(() => transformation.apply(record))
    if (result === null) return
    assert.equal(typeof result, 'object', 'a transform returns a record, or null')
    assert.equal(typeof result.topic, 'string', 'a record has a topic')
    for (const value of [result.key, result.value]) mustBePlain(value)
    for (const { name, value } of result.headers ?? []) {
      assert.equal(typeof name, 'string', 'a header has a name')
      mustBePlain(value)
    }
  })
}

/** Tests what every predicate promises. */
export function predicateContract(plugin: PredicatePlugin, fixture: TransformFixture): void {
  pluginContract('predicate', plugin, fixture, (predicate: Predicate, record) => {
    const answer = orDataError(() => predicate.test(record))
    assert.ok(answer === null || typeof answer === 'boolean', 'a predicate answers true or false')
  })
}

function pluginContract<I extends { close?(): void }>(
  kind: string,
  plugin: { readonly class: string; readonly version: string; readonly spec: TransformationPlugin['spec'] } & {
    create(props: Props): I
  },
  { props, refused = [], records = () => [] }: TransformFixture,
  play: (instance: I, record: ConnectRecord) => void,
): void {
  const all = (): readonly ConnectRecord[] => [...records(), ...sampleRecords()]

  describe(`the contract of a ${kind}: ${plugin.class}`, () => {
    test('takes records of every kind, changes none of them, and keeps hostile names where they are', () => {
      const instance = plugin.create(props)
      const untouched = all()
      for (const [index, record] of all().entries()) {
        play(instance, frozen(record))
        assert.deepEqual(record, untouched[index], 'a record that came in was changed')
        mustBeClean()
      }
      instance.close?.()
    })

    test('keeps nothing of another instance, and closes twice', () => {
      const [one, other] = [plugin.create(props), plugin.create(props)]
      for (const record of all()) play(one, record)
      one.close?.()
      one.close?.()
      for (const record of all()) play(other, record)
      other.close?.()
    })

    test('refuses wrong settings with a ConfigError on the key', () => {
      mustRefuse(plugin.spec, props, refused, (wrong) => plugin.create(wrong))
      mustRefuseHostile(plugin, props)
    })

    test('documents every setting, and names its class and version', () => {
      assert.match(plugin.class, /^[\w$.]+$/)
      assert.match(plugin.version, /^\w[\w.+-]*$/)
      mustDocument(plugin.spec)
    })
  })
}

/** Settings that the spec does not know change nothing, whatever their names. */
function mustRefuseHostile(plugin: { create(props: Props): { close?(): void } }, props: Props): void {
  const hostile = JSON.parse('{"__proto__":"p","constructor":"c","toString":"t"}') as Props
  plugin.create(Object.assign(Object.create(null) as Record<string, string>, hostile, props)).close?.()
  mustBeClean()
}
