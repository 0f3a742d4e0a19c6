import { schemaRegistryErrors } from './errors.ts'

export type SchemaFormat = 'AVRO' | 'PROTOBUF' | 'JSON'

/** A schema that another one uses: `name` is what the other calls it (a full name, or the path of an import). */
export interface SchemaReference {
  readonly name: string
  readonly subject: string
  readonly version: number
}

/** A schema as its author writes it, in the text of its format. */
export interface SchemaText {
  readonly format: SchemaFormat
  readonly schema: string
  readonly references?: readonly SchemaReference[]
}

export interface RegisteredSchema {
  readonly id: number
  readonly format: SchemaFormat
  readonly schema: string
  readonly references: readonly SchemaReference[]
  /** Present where the registry was asked for a subject. */
  readonly version?: number
}

/** A registered schema with the texts of all schemas that it uses, each after those that it uses itself. */
export interface ResolvedSchema extends RegisteredSchema {
  readonly dependencies: readonly { readonly name: string; readonly schema: string }[]
}

/** Throws DataError for a schema of another format than the converter's: another one can have the same text, and mean other bytes. */
export function needFormat({ id, format }: RegisteredSchema, needed: SchemaFormat, converter: string): void {
  if (format === needed) return
  throw schemaRegistryErrors.SCHEMA_INCOMPATIBLE(
    `schema ${id} is one of ${format}, and ${converter} needs one of ${needed}`,
  )
}
