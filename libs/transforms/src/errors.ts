import { ConfigError, DataError, defineErrors } from '@tributary/connect-api'

/** Errors of transforms, predicates and their chain. Their texts are Kafka Connect's where it has one. */
export const transformErrors = defineErrors({
  TRANSFORM_CONFIG: {
    type: ConfigError,
    doc: 'A setting of a transform or a predicate cannot be used, or does not fit another one. The message names the setting.',
  },
  TRANSFORM_DATA: {
    type: DataError,
    doc: "A transform or a predicate cannot work on this record: a field is missing, or a value has another type than the transform takes. `errors.tolerance` decides what happens to the record. The texts are those of Kafka Connect's DataException.",
  },
  TRANSFORM_UNKNOWN: {
    type: ConfigError,
    doc: '`transforms.<alias>.type` or `predicates.<alias>.type` names no class that this worker has. `/connector-plugins?connectorsOnly=false` lists those that do.',
  },
  EXPRESSION_INVALID: {
    type: ConfigError,
    doc: 'An expression cannot be read, names a variable or a function that does not exist, or gives another type than the transform takes. The message names the place in it. docs/transforms/expressions.md has the language.',
  },
  EXPRESSION_FAILED: {
    type: DataError,
    doc: 'An expression could not be evaluated on this record: a field is missing (`has(value.field) && …` asks first), a value has another type, or the evaluation took more steps than it may. `errors.tolerance` decides what happens to the record.',
  },
})
