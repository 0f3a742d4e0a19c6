import { type Field, fieldOf, fieldValue, type Schema } from '@tributary/connect-api'
import { transformErrors } from '../../errors.ts'
import { type Entries, entryOf, requireMap } from '../support/require.ts'

/**
 * The steps of a path in the syntax V2 of KIP-821: names parted by dots; a name with dots stands in backticks. Within backticks a
 * backtick before a dot is escaped by a backslash. Throws ConfigError.
 */
export function parsePath(path: string): string[] {
  const steps: string[] = []
  let at = 0
  while (at < path.length) {
    if (path[at] === '`') {
      const { step, next } = quotedStep(path, at)
      steps.push(step)
      at = next
    } else {
      const dot = path.indexOf('.', at)
      steps.push(path.slice(at, dot === -1 ? undefined : dot))
      at = dot === -1 ? path.length : dot + 1
    }
  }
  if (path === '' || path.endsWith('.')) steps.push('')
  return steps
}

function quotedStep(path: string, quote: number): { step: string; next: number } {
  let step = ''
  let start = quote + 1
  for (let at = path.indexOf('`', start); at !== -1; at = path.indexOf('`', at + 1)) {
    const escaped = path[at - 1] === '\\'
    const last = at === path.length - 1
    if (last && escaped) break
    if (!last && path[at + 1] !== '.') continue
    if (!escaped) return { step: step + path.slice(start, at), next: at + (last ? 1 : 2) }
    step += `${path.slice(start, at - 1)}\``
    start = at + 1
  }
  throw transformErrors.TRANSFORM_CONFIG(
    `Incomplete backtick pair in path: [${path}], consider adding a backslash before backtick at position ${quote} to escape it`,
    { field: 'field' },
  )
}

/** The fields along a path within a schema. null: there is no such field. Throws DataError where a step leads into no struct. */
export function fieldsAlong(schema: Schema, steps: readonly string[]): readonly Field[] | null {
  const fields: Field[] = []
  let current = schema
  for (const step of steps) {
    if (current.type !== 'struct') throw transformErrors.TRANSFORM_DATA('Cannot look up fields on non-struct type')
    const field = fieldOf(current, step)
    if (field === undefined) return null
    fields.push(field)
    current = field.schema
  }
  return fields
}

/** The struct that holds the last of these fields; null where one on the way has no value. */
export function structAlong(struct: object, fields: readonly Field[]): object | null {
  let current = struct
  for (let i = 0; i < fields.length - 1; i++) {
    const next = fieldValue(current, fields[i]!)
    if (next === null) return null
    current = next as object
  }
  return current
}

/** The value at a path in data without schema; null for none. Throws DataError where a step leads into no map. */
export function valueAlong(map: Entries, steps: readonly string[]): unknown {
  let current = map
  for (let i = 0; i < steps.length - 1; i++) {
    const next = entryOf(current, steps[i]!)
    if (next === null) return null
    current = requireMap(next, 'nested field access')
  }
  return entryOf(current, steps.at(-1)!)
}
