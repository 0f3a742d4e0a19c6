import type { AvroField, AvroType, EnumType, RecordType } from './avro-type.ts'

/**
 * Why data of the type `writer` cannot be read as `reader` (Avro 1.12, "Schema Resolution"); null: it can. Data of a union can be
 * read if that of each branch can.
 */
export function unreadable(reader: AvroType, writer: AvroType): string | null {
  return new Comparison().reason(reader, writer)
}

const WIDER: Readonly<Record<string, readonly string[]>> = {
  int: ['long', 'float', 'double'],
  long: ['float', 'double'],
  float: ['double'],
  string: ['bytes'],
  bytes: ['string'],
}

class Comparison {
  /** What was found of each pair; null while it is being compared. Types that are used again would take exponential time otherwise. */
  readonly #found = new Map<AvroType, Map<AvroType, string | null>>()

  reason(reader: AvroType, writer: AvroType): string | null {
    const found = this.#found.get(reader) ?? new Map<AvroType, string | null>()
    const known = found.get(writer)
    if (known !== undefined) return known
    this.#found.set(reader, found.set(writer, null))
    const reason = this.#compare(reader, writer)
    found.set(writer, reason)
    return reason
  }

  #compare(reader: AvroType, writer: AvroType): string | null {
    if (writer.type === 'union') {
      return writer.branches.map((branch) => this.reason(reader, branch)).find((reason) => reason !== null) ?? null
    }
    if (reader.type === 'union') {
      const reasons = reader.branches.map((branch) => this.reason(branch, writer))
      return reasons.includes(null) ? null : `no branch of the union fits ${nameFor(writer)}`
    }
    if (reader.type !== writer.type) {
      return WIDER[writer.type]?.includes(reader.type) === true
        ? null
        : `reader type ${nameFor(reader)} is not compatible with writer type ${nameFor(writer)}`
    }
    switch (reader.type) {
      case 'array':
        return this.reason(reader.items, (writer as typeof reader).items)
      case 'map':
        return this.reason(reader.values, (writer as typeof reader).values)
      case 'fixed':
        return reader.size === (writer as typeof reader).size ? null : `the sizes of ${reader.name} differ`
      case 'enum':
        return missingSymbol(reader, writer as typeof reader)
      case 'record':
        return this.#record(reader, writer as typeof reader)
      default:
        return null
    }
  }

  #record(reader: RecordType, writer: RecordType): string | null {
    if (simple(reader.name) !== simple(writer.name) && !reader.aliases.includes(writer.name)) {
      return `the record is ${reader.name}, not ${writer.name}`
    }
    const written = new Map(writer.fields.map((field) => [field.name, field]))
    for (const field of reader.fields) {
      const own = find(field, written)
      if (own === undefined && field.default === undefined)
        return `field ${field.name} of ${reader.name} has no default`
      const reason = own === undefined ? null : this.reason(field.type, own.type)
      if (reason !== null) return `field ${field.name} of ${reader.name}: ${reason}`
    }
    return null
  }
}

function find({ name, aliases }: AvroField, fields: ReadonlyMap<string, AvroField>): AvroField | undefined {
  return [name, ...aliases].map((each) => fields.get(each)).find((each) => each !== undefined)
}

function missingSymbol(reader: EnumType, writer: EnumType): string | null {
  if (reader.default !== undefined) return null
  const missing = writer.symbols.find((symbol) => !reader.symbols.includes(symbol))
  return missing === undefined ? null : `the enum ${reader.name} has no symbol ${missing}`
}

function simple(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

function nameFor(type: AvroType): string {
  return 'name' in type ? type.name : type.type
}
