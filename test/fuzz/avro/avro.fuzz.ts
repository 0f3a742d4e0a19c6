import assert from 'node:assert/strict'
import { DataError, type Schema } from '@tributary/connect-api'
import { Cursor } from '../../../libs/converters/src/avro/cursor.ts'
import { avroText } from '../../../libs/converters/src/avro/from-connect-schema.ts'
import { type AvroOptions } from '../../../libs/converters/src/avro/options.ts'
import { parseSchema } from '../../../libs/converters/src/avro/parse-schema.ts'
import { compileReader } from '../../../libs/converters/src/avro/read.ts'
import { Sink } from '../../../libs/converters/src/avro/sink.ts'
import { toConnectSchema } from '../../../libs/converters/src/avro/to-connect-schema.ts'
import { compileWriter } from '../../../libs/converters/src/avro/write.ts'
import { unreadable } from '../../../libs/converters/src/avro/compatible.ts'
import { ConnectGenerator } from '../../support/connect-generator.ts'
import {
  fuzzTargets,
  mutateBytes,
  mutateJson,
  mutateText,
  type Progress,
  type Random,
  type Report,
  type Stage,
  type Target,
} from '../driver.ts'

const OPTIONS: AvroOptions = {
  enhanced: false,
  scrub: true,
  metaData: true,
  sumTypes: false,
  ignoreDefaults: false,
  optionalKeys: false,
  flatten: true,
}

interface Given {
  readonly options: AvroOptions
  readonly schema: Schema
  readonly value: unknown
}

function given(random: Random): Given {
  const generator = new ConnectGenerator(random)
  const schema = generator.schema()
  const flags = Object.keys(OPTIONS).filter((name) => name !== 'scrub' && random.chance(0.2))
  const options = { ...OPTIONS, ...Object.fromEntries(flags.map((name) => [name, true])) }
  return { options, schema, value: generator.value(schema) }
}

/** Writes a value with the schema of `text`. */
function written({ schema, value, options }: Given, text = avroText(schema, options)): Buffer {
  const sink = new Sink()
  compileWriter(schema, parseSchema(text), options)(sink, value ?? schema.default ?? null)
  return sink.take()
}

/** What is written is read, and what was read is written to the same bytes, by a schema of the same text. */
export function tripTarget(read = compileReader): Target<Given> {
  return {
    name: 'trip',
    generate: given,
    run(input) {
      return refusing(() => {
        const { options } = input
        const text = avroText(input.schema, options)
        const bytes = written(input, text)
        const type = parseSchema(text)
        const schema = toConnectSchema(type, options)!
        const cursor = new Cursor(bytes)
        const value = read(type, schema)(cursor)
        assert.ok(cursor.done, 'bytes are left')
        assert.equal(written({ schema, value, options }, text).toString('hex'), bytes.toString('hex'))
        assert.equal(unreadable(type, type), null)
      })
    },
    show: ({ schema, value }) => `${shown(schema)} ${shown(value)}`,
  }
}

interface Bytes {
  readonly text: string
  readonly bytes: Uint8Array
}

/** Damaged bytes, and damaged schemas that a registry might give: a data error, or a value. */
const hostileTarget: Target<Bytes> = {
  name: 'hostile',
  generate(random) {
    const input = given(random)
    const text = attempt(() => avroText(input.schema, input.options)) ?? '"string"'
    const bytes = attempt(() => written(input)) ?? Buffer.from('0000', 'hex')
    const bad = random.chance(0.3) ? mutateText(random, text) : JSON.stringify(mutateJson(random, JSON.parse(text)))
    return { text: random.chance(0.5) ? text : (bad ?? 'null'), bytes: mutateBytes(random, bytes) }
  },
  run({ text, bytes }) {
    return refusing(() => {
      const type = parseSchema(text)
      const schema = toConnectSchema(type, OPTIONS)
      const read = compileReader(type, schema)
      attempt(() => read(new Cursor(bytes)))
      if (schema !== null) attempt(() => avroText(schema, OPTIONS))
    })
  },
  show: ({ text, bytes }) => `${Buffer.from(bytes).toString('hex')} as ${text}`,
}

/** null: a data error. */
function attempt<T>(run: () => T): T | null {
  try {
    return run()
  } catch (error) {
    if (error instanceof DataError) return null
    throw error
  }
}

function refusing(run: () => void): Stage {
  return attempt(() => {
    run()
    return true
  }) === true
    ? 'past'
    : 'refused'
}

function shown(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'bigint' ? String(each) : each instanceof Map ? [...(each as Map<unknown, unknown>)] : each,
  )
}

/** Runs `iterations` inputs over both targets. */
export function fuzz(iterations: number, seed: number, progress?: Progress): Promise<Report> {
  return fuzzTargets([tripTarget(), hostileTarget], iterations, seed, { ...(progress && { progress }) })
}
