import type { ConnectRecord, Schema } from '@tributary/connect-api'
import { ConnectGenerator } from '../../support/connect-generator.ts'
import type { Random } from '../../support/random.ts'

/** Mostly structs, as most transforms want them. */
export function recordOf(random: Random, names: readonly string[] = []): ConnectRecord {
  const generator = new ConnectGenerator(random)
  const record = generator.record()
  const struct = (): { schema: Schema | null; value: unknown } => {
    if (random.chance(0.2)) return { schema: null, value: random.chance(0.1) ? null : mapOf(random, generator) }
    const schema = withFields(random, generator, generator.struct(), names)
    return { schema, value: random.chance(0.05) ? null : generator.value({ ...schema, optional: false }) }
  }
  const [key, value] = [random.chance(0.7) ? struct() : null, random.chance(0.8) ? struct() : null]
  return {
    ...record,
    ...(key !== null && { keySchema: key.schema, key: key.value }),
    ...(value !== null && { valueSchema: value.schema, value: value.value }),
  }
}

/** Most of the names as fields, so that settings find what they name. */
function withFields(random: Random, generator: ConnectGenerator, struct: Schema, names: readonly string[]): Schema {
  const fields = struct.fields ?? []
  const lacking = names.filter((name) => random.chance(0.7) && fields.every((field) => field.name !== name))
  return { ...struct, fields: [...fields, ...lacking.map((name) => ({ name, schema: generator.schema(1) }))] }
}

/** What settings name. */
export function namesIn(config: Readonly<Record<string, string>>): string[] {
  const texts = [config['fields'], config['spec'], config['field'], config['renames'], config['include']]
  const names = texts.flatMap((text) => text?.split(/ *, */).flatMap((part) => [part, part.split(':')[0]!]) ?? [])
  return [...new Set(names)].filter((name) => name !== '')
}

function mapOf(random: Random, generator: ConnectGenerator): Record<string, unknown> {
  const names = ['id', 'name', 'a.b', 'ts', 'x', '__proto__'].filter(() => random.chance(0.5))
  return Object.fromEntries(names.map((name) => [name, generator.schemaless(2)]))
}
