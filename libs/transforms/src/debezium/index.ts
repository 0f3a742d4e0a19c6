import type { PredicatePlugin, TransformationPlugin } from '@tributary/connect-api'
import { byLogicalTableRouter } from './by-logical-table-router.ts'
import { extractNewRecordState } from './extract-new-record-state.ts'
import { contentBasedRouter, debeziumFilter } from './scripting.ts'

export const DEBEZIUM_TRANSFORMATIONS: readonly TransformationPlugin[] = [
  extractNewRecordState,
  byLogicalTableRouter,
  debeziumFilter,
  contentBasedRouter,
]
export const DEBEZIUM_PREDICATES: readonly PredicatePlugin[] = []
