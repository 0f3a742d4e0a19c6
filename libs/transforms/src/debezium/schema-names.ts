export const ADJUSTMENTS = ['none', 'avro', 'avro_unicode'] as const

/** How the name of a schema is made fit for Avro: io.debezium.schema.SchemaNameAdjuster. */
export type Adjustment = (typeof ADJUSTMENTS)[number]

/**
 * `avro` puts `_` for each character that Avro's full names cannot have, and before a digit at the beginning. `avro_unicode` puts `_u`
 * and the character's number in hexadecimal, for `_` itself too.
 */
export function adjustedName(name: string, adjustment: Adjustment): string {
  switch (adjustment) {
    case 'none':
      return name
    case 'avro':
      return name.slice(0, 1).replace(/[^A-Za-z_]/, avroFirst) + name.slice(1).replace(/[^A-Za-z0-9_.]/g, '_')
    case 'avro_unicode':
      return name.slice(0, 1).replace(/[^A-Za-z]/, escaped) + name.slice(1).replace(/[^A-Za-z0-9.]/g, escaped)
  }
}

function avroFirst(char: string): string {
  return /[0-9]/.test(char) ? `_${char}` : '_'
}

function escaped(char: string): string {
  const hex = char.charCodeAt(0).toString(16)
  return `_u${hex.length <= 2 ? '00' : ''}${hex}`
}
