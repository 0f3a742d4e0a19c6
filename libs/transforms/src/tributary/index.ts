import type { PredicatePlugin, TransformationPlugin } from '@tributary/connect-api'

export const TRIBUTARY_TRANSFORMATIONS: readonly TransformationPlugin[] = []
export const TRIBUTARY_PREDICATES: readonly PredicatePlugin[] = []
