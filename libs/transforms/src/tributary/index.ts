import type { PredicatePlugin, TransformationPlugin } from '@tributary/connect-api'
import { expressionPredicate, filter, route } from './filter.ts'
import { insertExpression } from './insert-expression.ts'
import { UNWRAP } from './unwrap.ts'

export const TRIBUTARY_TRANSFORMATIONS: readonly TransformationPlugin[] = [
  filter,
  route,
  ...insertExpression,
  ...UNWRAP,
]
export const TRIBUTARY_PREDICATES: readonly PredicatePlugin[] = [expressionPredicate]
