import type { PredicatePlugin, TransformationPlugin } from '@tributary/connect-api'
import { DEBEZIUM_PREDICATES, DEBEZIUM_TRANSFORMATIONS } from './debezium/index.ts'
import { ECOSYSTEM_PREDICATES, ECOSYSTEM_TRANSFORMATIONS } from './ecosystem/index.ts'
import { KAFKA_PREDICATES, KAFKA_TRANSFORMATIONS } from './kafka/index.ts'
import { TRIBUTARY_PREDICATES, TRIBUTARY_TRANSFORMATIONS } from './tributary/index.ts'

export * from './chain.ts'
export * from './define.ts'
export { transformErrors } from './errors.ts'

export const TRANSFORMATIONS: readonly TransformationPlugin[] = [
  ...KAFKA_TRANSFORMATIONS,
  ...DEBEZIUM_TRANSFORMATIONS,
  ...ECOSYSTEM_TRANSFORMATIONS,
  ...TRIBUTARY_TRANSFORMATIONS,
]
export const PREDICATES: readonly PredicatePlugin[] = [
  ...KAFKA_PREDICATES,
  ...DEBEZIUM_PREDICATES,
  ...ECOSYSTEM_PREDICATES,
  ...TRIBUTARY_PREDICATES,
]
