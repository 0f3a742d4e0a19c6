import type { PredicatePlugin, TransformationPlugin } from '@tributary/connect-api'
import { drop } from './drop.ts'
import { extractTopic } from './extract-topic.ts'
import { messageTimestampRouter } from './message-timestamp-router.ts'
import { tombstoneHandler } from './tombstone-handler.ts'

export const ECOSYSTEM_TRANSFORMATIONS: readonly TransformationPlugin[] = [
  ...drop,
  ...extractTopic,
  messageTimestampRouter,
  tombstoneHandler,
]
export const ECOSYSTEM_PREDICATES: readonly PredicatePlugin[] = []
