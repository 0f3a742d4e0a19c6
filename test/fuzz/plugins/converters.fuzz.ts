import assert from 'node:assert/strict'
import { type Converter, NotReadyError, type Schema } from '@tributary/connect-api'
import { createConverter, createHeaderConverter, CONVERTER_PLUGINS } from '@tributary/converters'
import { ConnectGenerator } from '../../support/connect-generator.ts'
import { settingsFor } from '../../support/plugin-settings.ts'
import {
  fuzzTargets,
  mutateBytes,
  mutateProps,
  type Progress,
  type Random,
  type Report,
  type Target,
} from '../driver.ts'
import { allowing, shown } from './transforms.fuzz.ts'

type Props = Readonly<Record<string, string>>

const CLASSES = CONVERTER_PLUGINS.filter(({ type }) => type === 'converter')
const HEADER_CLASSES = CONVERTER_PLUGINS.filter(({ type }) => type === 'header_converter')
/** Nobody listens there: the fuzzer does not wait for a registry. */
const REGISTRY = 'http://127.0.0.1:9'
const TEXTS = [
  '{"schema":{"type":"struct","fields":[{"field":"a","type":"int64","optional":true},{"field":"m","type":"map","keys":{"type":"string"},"values":{"type":"float"}}]},"payload":{"a":1,"m":{"k":1.5}}}',
  '{"schema":{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}},"payload":"AQ=="}',
  '{"schema":{"type":"array","items":{"type":"int32","name":"org.apache.kafka.connect.data.Date"}},"payload":[1,2]}',
  '{"specversion":"1.0","id":"1","source":"/s","type":"t","datacontenttype":"application/json","data":{"a":1}}',
  '{"a":[1,2.5,null,{"__proto__":{"b":true}}]}',
  '[9223372036854775807,1e400,"\\ud800"]',
  'true',
  '"text"',
  '\0\0\0\0\u0001\u0002abc',
  '\u0001\0\0\0\0\0\0\0',
]

interface Read {
  readonly class: string
  readonly props: Props
  readonly bytes: Uint8Array
}

function propsOf(random: Random, plugin: (typeof CONVERTER_PLUGINS)[number]): Props {
  const known = 'schema.registry.url' in plugin.spec.keys ? { 'schema.registry.url': REGISTRY } : {}
  const schemas = 'schemas.enable' in plugin.spec.keys && random.chance(0.5) ? { 'schemas.enable': 'false' } : {}
  const props = { ...settingsFor(plugin), ...known, ...schemas }
  if (random.chance(0.8)) return props
  return Object.fromEntries(Object.entries(mutateProps(random, props)).filter(([, value]) => value !== null)) as Props
}

function configured(name: string, props: Props, isKey = false): Converter | null {
  const key = isKey ? 'key.converter' : 'value.converter'
  return allowing('config', () => createConverter(key, connectorProps(key, name, props), isKey))
}

function connectorProps(key: string, name: string, props: Props): Props {
  const settings = Object.entries(props).map(([setting, value]): [string, string] => [`${key}.${setting}`, value])
  return Object.fromEntries([...settings, [key, name]])
}

/** Any bytes: data, a DataError, or a wait for the registry. */
export function readTarget(create: typeof configured = configured): Target<Read> {
  return {
    name: 'read',
    generate(random) {
      const plugin = random.pick(CLASSES)
      const valid = Buffer.from(random.pick(TEXTS))
      const bytes = random.chance(0.8) ? mutateBytes(random, new Uint8Array(valid)) : valid
      return { class: plugin.class, props: propsOf(random, plugin), bytes }
    },
    run({ class: name, props, bytes }) {
      const converter = create(name, props)
      if (converter === null) return 'refused'
      const data = orWaits(() => converter.toConnectData('t', bytes))
      if (data !== null) orWaits(() => converter.fromConnectData('t', data.schema, data.value))
      return 'past'
    },
    show: ({ class: name, props, bytes }) =>
      `${name} ${JSON.stringify(props)} ${Buffer.from(bytes).toString('base64')}`,
  }
}

interface Write {
  readonly class: string
  readonly props: Props
  readonly isKey: boolean
  readonly schema: Schema | null
  readonly value: unknown
}

/** Any data, also such as does not fit its schema: bytes, a DataError, or a wait. What was written can be read. */
const writeTarget: Target<Write> = {
  name: 'write',
  generate(random) {
    const plugin = random.pick(CLASSES)
    const generator = new ConnectGenerator(random, { depth: 2 })
    const data = generator.data()
    const value = data.schema !== null && random.chance(0.2) ? generator.misfit(data.schema) : data.value
    return {
      class: plugin.class,
      props: propsOf(random, plugin),
      isKey: random.chance(0.3),
      schema: data.schema,
      value,
    }
  },
  run({ class: name, props, isKey, schema, value }) {
    const converter = configured(name, props, isKey)
    if (converter === null) return 'refused'
    const bytes = orWaits(() => converter.fromConnectData('t', schema, value))
    assert.ok(bytes === null || bytes instanceof Uint8Array)
    if (bytes !== null) orWaits(() => converter.toConnectData('t', bytes))
    return 'past'
  },
  show: ({ class: name, props, schema, value }) => `${name} ${JSON.stringify(props)} ${shown([schema, value])}`,
}

/** Headers of any data, and of any bytes. */
const headerTarget: Target<Write> = {
  ...writeTarget,
  name: 'headers',
  generate(random) {
    const plugin = random.pick(HEADER_CLASSES)
    const { schema, value } = new ConnectGenerator(random, { depth: 2 }).data()
    return { class: plugin.class, props: propsOf(random, plugin), isKey: false, schema, value }
  },
  run({ class: name, props, schema, value }) {
    const key = 'header.converter'
    const converter = allowing('config', () => createHeaderConverter(key, connectorProps(key, name, props)))
    if (converter === null) return 'refused'
    const bytes = orWaits(() => converter.fromConnectHeader('t', 'h', schema, value))
    orWaits(() => converter.toConnectHeader('t', 'h', bytes))
    return 'past'
  },
}

/** The answer; null for a DataError, and for a converter that would wait. */
function orWaits<T>(run: () => T): T | null {
  return allowing('data', () => {
    try {
      return run()
    } catch (error) {
      if (error instanceof NotReadyError) return null
      throw error
    }
  })
}

/** Runs `iterations` inputs over all converters. */
export function fuzz(iterations: number, seed: number, progress?: Progress): Promise<Report> {
  return fuzzTargets([readTarget(), writeTarget, headerTarget], iterations, seed, {
    ...(progress && { progress }),
  })
}
