import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Converter, NotReadyError, type Props, type TransformationPlugin } from '@tributary/connect-api'
import {
  frozen,
  mustBeClean,
  mustBePlain,
  mustDocument,
  mustRefuse,
  orDataError,
  type RefusedSettings,
} from './plugin-checks.ts'
import { sampleValues } from './sample-records.ts'

/** What the suite needs of a converter's plugin. */
export interface TestedConverter {
  readonly class: string
  readonly spec: TransformationPlugin['spec']
  create(): Converter
}

export interface ConverterFixture {
  /** Settings, without the prefix `value.converter.`. */
  readonly props: Props
  /** What it refuses beyond its spec: settings that are laid over `props`, and the key that the error names. */
  readonly refused?: readonly RefusedSettings[]
  /** It converts no keys: `configure` for one is a ConfigError. Default: false. */
  readonly valuesOnly?: boolean
}

const TOPIC = 'quotes'
/** A converter may wait for a package, and for schemas of a registry. */
const MAX_WAITS = 5

/** Tests what every converter promises, as a converter of values and of keys. */
export function converterContract(
  plugin: TestedConverter,
  { props, refused = [], valuesOnly = false }: ConverterFixture,
): void {
  const create = (isKey: boolean, more: Props = {}): Converter => {
    const converter = plugin.create()
    converter.configure(
      { ...props, ...more, ...('converter.type' in plugin.spec.keys && { 'converter.type': isKey ? 'key' : 'value' }) },
      isKey,
    )
    return converter
  }

  describe(`the contract of a converter: ${plugin.class}`, () => {
    for (const isKey of valuesOnly ? [false] : [false, true]) {
      test(`writes or refuses values of every kind, and reads what it has written, as ${isKey ? 'key' : 'value'}`, async () => {
        const converter = create(isKey)
        const untouched = sampleValues()
        for (const [index, { schema, value }] of sampleValues().entries()) {
          frozen(value)
          const bytes = await ready(() => converter.fromConnectData(TOPIC, schema, value))
          assert.ok(bytes === null || bytes instanceof Uint8Array, 'a converter writes bytes, or null')
          assert.deepEqual(value, untouched[index]!.value, 'a value that came in was changed')
          const back = await ready(() => converter.toConnectData(TOPIC, bytes))
          if (back !== null) mustBePlain(back.value)
          mustBeClean()
        }
      })
    }

    if (valuesOnly) test('refuses keys', () => assert.throws(() => create(true), { kind: 'config' }))

    test('writes a tombstone as null, and reads null as one', async () => {
      const converter = create(false)
      assert.equal(await ready(() => converter.fromConnectData(TOPIC, null, null)), null)
      const read = await ready(() => converter.toConnectData(TOPIC, null))
      assert.equal(read?.value ?? null, null)
    })

    test('refuses bytes that it cannot read with a DataError', async () => {
      const converter = create(false)
      for (const text of [
        '',
        '\0',
        'x',
        '{',
        '{"schema":',
        '\0\0\0\0\u0007rest',
        '[1,',
        '"\ud800"',
        '\u00ff'.repeat(100),
      ]) {
        await ready(() => converter.toConnectData(TOPIC, Buffer.from(text, 'latin1')))
        mustBeClean()
      }
    })

    test('documents every setting', () => mustDocument(plugin.spec))

    test('refuses wrong settings with a ConfigError on the key', () => {
      mustRefuse({ ...plugin.spec, keys: {} }, props, refused, (wrong) => create(false, wrong))
    })
  })
}

/** The answer of a converter that may have to wait; null for a DataError, of which a wait may end too. */
async function ready<T>(run: () => T): Promise<T | null> {
  for (let waits = 0; waits < MAX_WAITS; waits++) {
    const answer = orDataError(() => orNotReady(run))
    if (!(answer instanceof NotReadyError)) return answer
    try {
      await answer.ready(AbortSignal.timeout(30_000))
    } catch (error) {
      orDataError(() => {
        throw error
      })
      return null
    }
  }
  return assert.fail(`the converter waits more than ${MAX_WAITS} times for one value`)
}

function orNotReady<T>(run: () => T): T | NotReadyError {
  try {
    return run()
  } catch (error) {
    if (error instanceof NotReadyError) return error
    throw error
  }
}
