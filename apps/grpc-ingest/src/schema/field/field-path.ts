import type { ConfigError } from '@tributary/connect-api'
import type { Field, FieldType, MessageType } from '../model/model.ts'
import { listed } from '../model/resolve-method.ts'
import { grpcErrors } from '../../errors.ts'

/** One segment of a dotted path: a field and the message that contains it. */
export interface PathStep {
  readonly message: MessageType
  readonly field: Field
}

const WRAPPERS = /^google\.protobuf\.(Double|Float|U?Int64|U?Int32|Bool|String|Bytes)Value$/

/** A name, or the full name of an extension in brackets. */
const SEGMENT = /\[[^\]]*\]|[^.]+|(?<=\.|^)(?=\.|$)/g

/**
 * Resolves a dotted path of field names, written as in the .proto file or as in JSON (`[pkg.extension].name`). Throws ConfigError on `configKey`
 * when a segment does not exist, is repeated or a map, or is not a message although the path continues.
 */
export function resolvePath(type: MessageType, path: string, configKey: string): PathStep[] {
  const steps: PathStep[] = []
  let message: MessageType | null = type
  for (const name of path.match(SEGMENT) ?? [path]) {
    const before: string = steps.map((s) => s.field.name).join('.')
    if (!message) throw pathError(configKey, path, `"${before}" is not a message.`)
    const field = fieldNamed(message, name)
    if (!field) {
      const names = message.fields.map((f) => (f.extension ? f.jsonName : f.name))
      throw pathError(configKey, path, `message ${message.fullName} has no field "${name}". ${listed('It has', names)}`)
    }
    if (field.repeated) {
      const what = field.messageType?.mapEntry === true ? 'a map' : 'repeated'
      throw pathError(configKey, path, `"${field.name}" of ${message.fullName} is ${what}; a single value is needed.`)
    }
    steps.push({ message, field })
    message = field.messageType
  }
  return steps
}

/** The field with a name as in the .proto file or as in JSON. An extension has only the latter. */
export function fieldNamed(message: MessageType, name: string): Field | undefined {
  return message.fields.find((f) => f.jsonName === name || (f.name === name && !f.extension))
}

/**
 * Extends a path that ends at a wrapper to its value. Throws ConfigError unless the path then ends at a scalar of a
 * type that is not in `excluded`.
 */
export function toScalar(
  steps: readonly PathStep[],
  path: string,
  configKey: string,
  excluded: readonly FieldType[] = [],
): PathStep[] {
  const last = steps.at(-1)!.field
  const wrapped = last.messageType && WRAPPERS.test(last.messageType.fullName) ? last.messageType.fields[0] : undefined
  const leaf = wrapped ?? last
  if (leaf.messageType) {
    throw pathError(configKey, path, `it is a message of type ${leaf.messageType.fullName}; name one of its fields.`)
  }
  if (excluded.includes(leaf.type)) throw pathError(configKey, path, `it is of type ${leaf.type}, which does not fit.`)
  return wrapped && last.messageType ? [...steps, { message: last.messageType, field: wrapped }] : [...steps]
}

export function pathError(configKey: string, path: string, why: string): ConfigError {
  return grpcErrors.GRPC_FIELD_PATH(`${configKey}=${path}: ${why}`, { field: configKey })
}
