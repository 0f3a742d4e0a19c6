import { defineConfig } from '@tributary/config'
import { type Converter, NotReadyError, type Schema, type SchemaAndValue } from '@tributary/connect-api'
import {
  frame,
  needFormat,
  readIndexes,
  REGISTRY_KEYS,
  REGISTRY_PREFIXES,
  type ResolvedSchema,
  SchemaReader,
  SchemaWriter,
  unframe,
} from '@tributary/schema-registry'
import { converterErrors } from '../errors.ts'
import { CONVERTER_TYPE } from '../plugin.ts'
import { compileReader, type ReadMessage } from './decoder.ts'
import { compileWriter, type WriteMessage } from './encoder.ts'
import { fromConnectSchema, type GeneratedProto } from './from-schema.ts'
import { isProtobufjsLoaded, loadProto, loadProtobufjs } from './load.ts'
import { indexesOf, messageAt, type ProtoFile, type ProtoMessage } from './model.ts'
import { Output } from './output.ts'
import { PROTOBUF_KEYS, protobufSettings, type ProtobufSettings } from './settings.ts'
import { toConnectSchema } from './to-schema.ts'
import { incompatibility } from './compatible.ts'

export const PROTOBUF_SPEC = defineConfig(
  { ...CONVERTER_TYPE, ...REGISTRY_KEYS, ...PROTOBUF_KEYS },
  { prefixes: REGISTRY_PREFIXES },
)

/** What writes the records of one Connect schema. */
interface Writer {
  /** The magic byte, the id, and the indexes of the message. */
  readonly header: Uint8Array
  readonly write: WriteMessage
}

interface Reader {
  readonly schema: Schema
  readonly read: ReadMessage
}

/** A record's frame names one of the messages of its file. */
interface FileReaders {
  readonly file: ProtoFile
  readonly version: number | undefined
  readonly byIndexes: Map<string, Reader>
}

/** Messages of one file that are kept: a frame may name any of them. */
const MAX_MESSAGES = 1000

/** `io.confluent.connect.protobuf.ProtobufConverter`. */
export class ProtobufConverter implements Converter {
  #settings!: ProtobufSettings
  #writer!: SchemaWriter<Schema, Writer>
  #reader!: SchemaReader<FileReaders>
  readonly #generated = new WeakMap<Schema, GeneratedProto>()
  readonly #out = new Output()

  configure(config: Readonly<Record<string, string>>, isKey: boolean): void {
    this.#settings = protobufSettings(config)
    this.#writer = new SchemaWriter(config, isKey, {
      describe: (schema) => {
        const { text, fullName } = this.#generate(schema)
        return { format: 'PROTOBUF', schema: text, recordName: fullName }
      },
      prepare: (schema, chosen, strict) => this.#prepareWriter(schema, chosen, strict),
    })
    this.#reader = new SchemaReader(config, (schema) => ({
      file: fileOf(schema),
      version: schema.version,
      byIndexes: new Map(),
    }))
  }

  readOnly(told: (what: string) => void): void {
    this.#writer.readOnly(told)
  }

  fromConnectData(topic: string, schema: Schema | null, value: unknown): Uint8Array | null {
    if (value === null || value === undefined) return null
    if (schema === null) {
      throw converterErrors.CONVERTER_UNSUPPORTED_VALUE(
        `ProtobufConverter writes values with a schema only, and a record for topic ${topic} has none; let its source give one, or use JsonConverter with schemas.enable=false`,
      )
    }
    waitForLibrary()
    const { header, write } = this.#writer.find(topic, schema)
    const out = this.#out
    out.reset()
    out.raw(header)
    try {
      write(out, value, 1)
      return out.take()
    } catch (cause) {
      throw withTopic(`Failed to serialize Protobuf data from topic ${topic} :`, cause)
    }
  }

  toConnectData(topic: string, bytes: Uint8Array | null): SchemaAndValue {
    if (bytes === null) return { schema: null, value: null }
    waitForLibrary()
    const { id, payload } = unframe(bytes)
    const file = this.#reader.find(id)
    const { indexes, rest } = readIndexes(payload)
    const key = indexes.join()
    let reader = file.byIndexes.get(key)
    if (reader === undefined) {
      const message = messageAt(file.file, indexes)
      if (message === undefined) {
        throw converterErrors.CONVERTER_PROTOBUF(
          `Failed to deserialize data for topic ${topic} to Protobuf: Invalid message indexes: [${key}] of schema ${id}`,
        )
      }
      reader = this.#prepareReader(message, file.version)
      if (file.byIndexes.size < MAX_MESSAGES) file.byIndexes.set(key, reader)
    }
    try {
      return { schema: reader.schema, value: reader.read(rest) }
    } catch (cause) {
      throw withTopic(`Failed to deserialize data for topic ${topic} to Protobuf:`, cause)
    }
  }

  #generate(schema: Schema): GeneratedProto {
    let generated = this.#generated.get(schema)
    if (generated === undefined) this.#generated.set(schema, (generated = fromConnectSchema(schema, this.#settings)))
    return generated
  }

  #prepareReader(message: ProtoMessage, version: number | undefined): Reader {
    const schema = toConnectSchema(message, this.#settings, version)
    return { schema, read: compileReader(message, schema, this.#settings) }
  }

  /** Records are written by their own schema; the frame points to the message of the same name in the chosen one. */
  #prepareWriter(schema: Schema, chosen: ResolvedSchema, strict: boolean): Writer {
    const { text, fullName } = this.#generate(schema)
    const own = loadProto(text, [])
    const message = messageAt(own, indexesOf(own, fullName)!)!
    const file = chosen.schema === text ? own : fileOf(chosen)
    const indexes = indexesOf(file, fullName)
    if (indexes === undefined) {
      throw converterErrors.CONVERTER_BAD_SCHEMA(
        `The schema ${chosen.id} of the registry has no message ${fullName}; name the schema of the record as the message, by SetSchemaMetadata for instance`,
      )
    }
    const problem = strict ? incompatibility(message, messageAt(file, indexes)!) : undefined
    if (problem !== undefined) {
      throw converterErrors.CONVERTER_BAD_SCHEMA(
        `Incompatible schema: the schema ${chosen.id} of the registry cannot read records of ${fullName}: ${problem}`,
      )
    }
    return {
      header: frame(chosen.id, indexes, new Uint8Array(0)),
      write: compileWriter(message, schema, this.#settings),
    }
  }
}

function waitForLibrary(): void {
  if (!isProtobufjsLoaded()) throw new NotReadyError('the package protobufjs', loadProtobufjs)
}

function fileOf(resolved: ResolvedSchema): ProtoFile {
  needFormat(resolved, 'PROTOBUF', 'ProtobufConverter')
  return loadProto(
    resolved.schema,
    resolved.dependencies.map(({ name, schema: text }) => ({ name, text })),
  )
}

function withTopic(text: string, cause: unknown): Error {
  const why = cause instanceof Error ? cause.message : String(cause)
  return converterErrors.CONVERTER_PROTOBUF(`${text} ${why}`, { cause })
}
