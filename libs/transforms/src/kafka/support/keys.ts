import type { KeySpec, Validator } from '@tributary/config'

/** The prefix of the classes of Apache Kafka's transforms. */
export const KAFKA = 'org.apache.kafka.connect.transforms'

/** Kafka's NonEmptyListValidator. */
export const NOT_EMPTY = { kind: 'nonEmpty', message: 'Empty list', rejectNull: true } as const satisfies Validator
/** Kafka's NonEmptyString. */
export const NOT_EMPTY_TEXT = { kind: 'nonEmpty', message: 'String must be non-empty' } as const satisfies Validator

/** Whether a field that is null counts as its default; most transforms have this key since Kafka 3.8 (KIP-1040). */
export const REPLACE_NULL = {
  type: 'boolean',
  default: true,
  importance: 'medium',
  doc: 'Whether to replace fields that have a default value and that are null to the default value. When set to true, the default value is used, otherwise null is used.',
} as const satisfies KeySpec
