export { GENERALIZED_ENUM, GENERALIZED_UNION } from '../generalized.ts'

/** Names of Confluent's JsonSchemaData. */
export const NAMESPACE = 'io.confluent.connect.json'
export const ID = `${NAMESPACE}.Id`
export const ENUM = `${NAMESPACE}.Enum`
export const ONE_OF = `${NAMESPACE}.OneOf`
export const UNION_PREFIX = 'connect_union_'
export const UNION_FIELD_PREFIX = 'connect_union_field_'
/** The symbol for null in an enum. */
export const NULL_MARKER = '<NULL>'

export const TYPE = 'connect.type'
export const VERSION = 'connect.version'
export const PARAMETERS = 'connect.parameters'
export const INDEX = 'connect.index'
