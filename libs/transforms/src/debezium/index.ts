import type { PredicatePlugin, TransformationPlugin } from '@tributary/connect-api'

export const DEBEZIUM_TRANSFORMATIONS: readonly TransformationPlugin[] = []
export const DEBEZIUM_PREDICATES: readonly PredicatePlugin[] = []
