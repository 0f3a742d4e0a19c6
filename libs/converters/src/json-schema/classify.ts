import { badSchema } from './common.ts'
import { isObject, type Node, own, resolve } from './nodes.ts'

/**
 * What a schema object says, as the Java library everit-json-schema divides it: an object with keywords of several kinds is all of them
 * at once (`all`), and its title and the like then belong to the whole.
 */
export type Shape =
  | { readonly kind: 'boolean' | 'null' | 'number' | 'integer' | 'string' | 'array' | 'object' | 'const' }
  | { readonly kind: 'enum'; readonly values: readonly unknown[] }
  | { readonly kind: 'all' | 'one' | 'any'; readonly parts: readonly Part[] }
  | { readonly kind: 'ref'; readonly target: Node }

export interface Part {
  readonly node: Node
  readonly shape: Shape
  /** Whether title, description, default and `connect.*` of the node belong to it. */
  readonly common: boolean
}

/** Throws DataError `CONVERTER_BAD_SCHEMA` for `true`, `{}` and other schemas that say no type. */
export function classify(node: Node): Part {
  const ref = own(node.raw, '$ref')
  if (typeof ref === 'string') return { node, shape: { kind: 'ref', target: resolve(node, ref) }, common: true }
  const shapes = [...typeShapes(node), ...combinedShapes(node)]
  if (shapes.length === 0) throw badSchema('Unsupported schema type: a JSON Schema, or a part of it, allows any value')
  if (shapes.length === 1) return { node, shape: shapes[0]!, common: true }
  return { node, shape: { kind: 'all', parts: shapes.map((shape) => ({ node, shape, common: false })) }, common: true }
}

const TYPES = new Set(['boolean', 'null', 'number', 'integer', 'string', 'array', 'object'])

function typeShapes(node: Node): Shape[] {
  const { raw } = node
  const shapes: Shape[] = []
  const values = own(raw, 'enum')
  if (Array.isArray(values)) shapes.push({ kind: 'enum', values })
  if (Object.hasOwn(raw, 'const')) shapes.push({ kind: 'const' })
  const type = own(raw, 'type')
  if (Array.isArray(type)) {
    const parts = type.map((one): Part => ({ node, shape: shapeOfType(one), common: false }))
    shapes.push({ kind: 'any', parts })
  } else if (type !== undefined) {
    shapes.push(shapeOfType(type))
  } else {
    const kind = impliedType(raw)
    if (kind !== undefined) shapes.push({ kind })
  }
  return shapes
}

function shapeOfType(type: unknown): Shape {
  if (typeof type !== 'string' || !TYPES.has(type))
    throw badSchema(`A JSON Schema has the type ${JSON.stringify(type)}`)
  return { kind: type as 'string' }
}

const IMPLIED = {
  object: [
    'properties',
    'required',
    'additionalProperties',
    'minProperties',
    'maxProperties',
    'dependencies',
    'patternProperties',
    'propertyNames',
  ],
  array: ['items', 'additionalItems', 'minItems', 'maxItems', 'uniqueItems', 'contains'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  string: ['minLength', 'maxLength', 'pattern', 'format'],
} as const

function impliedType(raw: object): keyof typeof IMPLIED | undefined {
  return (Object.keys(IMPLIED) as (keyof typeof IMPLIED)[]).find((kind) =>
    IMPLIED[kind].some((key) => Object.hasOwn(raw, key)),
  )
}

const COMBINED = [
  ['allOf', 'all'],
  ['oneOf', 'one'],
  ['anyOf', 'any'],
] as const

function combinedShapes(node: Node): Shape[] {
  const shapes: Shape[] = []
  for (const [key, kind] of COMBINED) {
    const list = own(node.raw, key)
    if (Array.isArray(list))
      shapes.push({ kind, parts: list.filter(isObject).map((raw) => classify({ raw, document: node.document })) })
  }
  return shapes
}
