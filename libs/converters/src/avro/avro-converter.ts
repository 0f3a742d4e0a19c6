import { type Converter, type Schema, type SchemaAndValue, toLogical } from '@tributary/connect-api'
import { stringifyJson } from '@tributary/config'
import {
  type DescribedSchema,
  needFormat,
  type ResolvedSchema,
  SchemaReader,
  schemaRegistryErrors,
  SchemaWriter,
  unframe,
} from '@tributary/schema-registry'
import { type AvroType, nameOf } from './avro-type.ts'
import { unreadable } from './compatible.ts'
import { Cursor } from './cursor.ts'
import { ANYTHING_JSON, avroText } from './from-connect-schema.ts'
import { type AvroOptions, readOptions } from './options.ts'
import { parseSchema } from './parse-schema.ts'
import { compileReader, type Read } from './read.ts'
import { Sink } from './sink.ts'
import { isAnything, toConnectSchema } from './to-connect-schema.ts'
import { misfit, needed } from './unfit.ts'
import { compileWriter } from './write.ts'
import { writeAnything } from './write-anything.ts'
import type { Write } from './write-simple.ts'

interface PreparedWriter {
  readonly id: number
  readonly write: Write
}

interface PreparedReader {
  readonly schema: Schema | null
  readonly read: Read
}

/** Stands for the schema of values that have none. */
const SCHEMALESS: Schema = { type: 'map' }

/** `io.confluent.connect.avro.AvroConverter`: Avro's binary encoding after the id of a schema in a registry. */
export class AvroConverter implements Converter {
  readonly #sink = new Sink()
  #writer!: SchemaWriter<Schema, PreparedWriter>
  #reader!: SchemaReader<PreparedReader>

  configure(config: Readonly<Record<string, string>>, isKey: boolean): void {
    const options = readOptions(config)
    const texts = new WeakMap<Schema, DescribedSchema>()
    this.#writer = new SchemaWriter(config, isKey, {
      describe: (schema) => {
        let known = texts.get(schema)
        if (known === undefined) texts.set(schema, (known = described(schema, options)))
        return known
      },
      prepare: (schema, chosen, strict) => preparedWriter(schema, chosen, strict, options),
    })
    this.#reader = new SchemaReader(config, (schema) => preparedReader(schema, options))
  }

  readOnly(told: (what: string) => void): void {
    this.#writer.readOnly(told)
  }

  fromConnectData(topic: string, schema: Schema | null, value: unknown): Uint8Array | null {
    if (value === null || value === undefined) {
      if (schema !== null && schema.optional !== true) needed(null)
      return null
    }
    const { id, write } = this.#writer.find(topic, schema ?? SCHEMALESS)
    const sink = this.#sink
    sink.reset()
    sink.byte(0)
    sink.at = sink.bytes.writeUInt32BE(id, sink.at)
    write(sink, value)
    return sink.take()
  }

  toConnectData(_topic: string, value: Uint8Array | null): SchemaAndValue {
    if (value === null) return { schema: null, value: null }
    const { id, payload } = unframe(value)
    const { schema, read } = this.#reader.find(id)
    return { schema, value: read(new Cursor(payload)) }
  }
}

const ANYTHING_TEXT = stringifyJson(ANYTHING_JSON)

function described(schema: Schema, options: AvroOptions): DescribedSchema {
  const text = schema === SCHEMALESS ? ANYTHING_TEXT : avroText(schema, options)
  return { format: 'AVRO', schema: text, recordName: recordName(parseSchema(text)) }
}

/** The name for the subject strategies, as Confluent takes it: of a record, or of any other type. */
function recordName(type: AvroType): string {
  return nameOf(type.type === 'union' ? (type.branches.find((branch) => branch.type !== 'null') ?? type) : type)
}

function typeOf(resolved: ResolvedSchema): AvroType {
  needFormat(resolved, 'AVRO', 'AvroConverter')
  return parseSchema(
    resolved.schema,
    resolved.dependencies.map((each) => each.schema),
  )
}

function preparedWriter(schema: Schema, chosen: ResolvedSchema, strict: boolean, options: AvroOptions): PreparedWriter {
  const type = typeOf(chosen)
  if (strict) {
    const reason = unreadable(type, parseSchema(described(schema, options).schema))
    if (reason !== null) {
      throw schemaRegistryErrors.SCHEMA_INCOMPATIBLE(
        `Incompatible schema ${chosen.id} with the schema of the record: ${reason}. Set latest.compatibility.strict=false, or id.compatibility.strict=false for use.schema.id, to disable this check`,
      )
    }
  }
  return { id: chosen.id, write: writerFor(schema, type, options) }
}

function writerFor(schema: Schema, type: AvroType, options: AvroOptions): Write {
  if (schema === SCHEMALESS) {
    if (!isAnything(type)) throw misfit({ type: 'map', name: 'a value without schema' }, type)
    return writeAnything
  }
  if (type.type !== 'bytes') return compileWriter(schema, type, options)
  const write = compileWriter(schema, type, options)
  // Confluent writes a record that is bytes alone without their length.
  return (sink, value) => {
    const from = sink.at
    write(sink, value)
    let start = from
    while (sink.bytes[start++]! > 0x7f);
    sink.bytes.copyWithin(from, start, sink.at)
    sink.at -= start - from
  }
}

function preparedReader(resolved: ResolvedSchema, options: AvroOptions): PreparedReader {
  const type = typeOf(resolved)
  const schema = toConnectSchema(type, options)
  if (type.type !== 'bytes' || schema === null) return { schema, read: compileReader(type, schema) }
  return { schema, read: (cursor) => toLogical(schema, cursor.rest()) }
}
