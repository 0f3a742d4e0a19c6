import type { PredicatePlugin, TransformationPlugin } from '@tributary/connect-api'

export const ECOSYSTEM_TRANSFORMATIONS: readonly TransformationPlugin[] = []
export const ECOSYSTEM_PREDICATES: readonly PredicatePlugin[] = []
