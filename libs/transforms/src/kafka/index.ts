import type { PredicatePlugin, TransformationPlugin } from '@tributary/connect-api'

export const KAFKA_TRANSFORMATIONS: readonly TransformationPlugin[] = []
export const KAFKA_PREDICATES: readonly PredicatePlugin[] = []
