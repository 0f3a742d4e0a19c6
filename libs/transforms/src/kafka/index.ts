import type { PredicatePlugin, TransformationPlugin } from '@tributary/connect-api'
import { cast } from './fields/cast.ts'
import { extractField } from './fields/extract-field.ts'
import { filter } from './fields/filter.ts'
import { flatten } from './fields/flatten.ts'
import { hoistField } from './fields/hoist-field.ts'
import { insertField } from './fields/insert-field.ts'
import { maskField } from './fields/mask-field.ts'
import { replaceField } from './fields/replace-field.ts'
import { setSchemaMetadata } from './fields/set-schema-metadata.ts'
import { timestampConverter } from './fields/timestamp-converter.ts'
import { valueToKey } from './fields/value-to-key.ts'
import { dropHeaders } from './headers/drop-headers.ts'
import { headerFrom } from './headers/header-from.ts'
import { insertHeader } from './headers/insert-header.ts'
import { hasHeaderKey } from './predicates/has-header-key.ts'
import { recordIsTombstone } from './predicates/record-is-tombstone.ts'
import { topicNameMatches } from './predicates/topic-name-matches.ts'
import { regexRouter } from './routers/regex-router.ts'
import { timestampRouter } from './routers/timestamp-router.ts'

export const KAFKA_TRANSFORMATIONS: readonly TransformationPlugin[] = [
  ...cast,
  dropHeaders,
  ...extractField,
  filter,
  ...flatten,
  ...headerFrom,
  ...hoistField,
  ...insertField,
  insertHeader,
  ...maskField,
  regexRouter,
  ...replaceField,
  ...setSchemaMetadata,
  ...timestampConverter,
  timestampRouter,
  valueToKey,
]

export const KAFKA_PREDICATES: readonly PredicatePlugin[] = [hasHeaderKey, recordIsTombstone, topicNameMatches]
