import type { PredicatePlugin, TransformationPlugin } from '@tributary/connect-api'

export const TRANSFORMATIONS: readonly TransformationPlugin[] = []
export const PREDICATES: readonly PredicatePlugin[] = []
