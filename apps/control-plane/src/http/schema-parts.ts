import type { JsonSchema } from './resource.ts'

/** The parts of which schemas of answers and bodies are made. */

export const text: JsonSchema = { type: 'string' }
export const flag: JsonSchema = { type: 'boolean' }
export const whole: JsonSchema = { type: 'integer' }
export const number: JsonSchema = { type: 'number' }
export const textOrNull: JsonSchema = { type: ['string', 'null'] }
export const time = (description: string): JsonSchema => ({
  type: ['integer', 'null'],
  description: `${description}, in ms since the epoch; null for never`,
})
export const mapOf = (value: JsonSchema): JsonSchema => ({ type: 'object', additionalProperties: value })
export const listOf = (items: JsonSchema): JsonSchema => ({ type: 'array', items })
/** An object with exactly these fields. A field whose name ends in `?` is optional. */
export const object = (fields: Readonly<Record<string, JsonSchema>>): JsonSchema => ({
  type: 'object',
  properties: Object.fromEntries(Object.entries(fields).map(([name, schema]) => [name.replace(/\?$/, ''), schema])),
  required: Object.keys(fields).filter((name) => !name.endsWith('?')),
  additionalProperties: false,
})
