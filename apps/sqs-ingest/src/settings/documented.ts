import type { Keys } from '@tributary/config'
import { topicOrBlank } from './reading.ts'

const group = 'Names in documents'

const filterEnabled = {
  type: 'boolean',
  default: true,
  importance: 'low',
  group,
  displayName: 'Filter',
  stripComment: true,
  deprecated: 'leave the filter policy away instead of false.',
  doc: 'False: the filter policy is not applied.',
} as const

/**
 * Keys that documents of the JVM connector name and that it never read. Each stands for the key in its note, which takes
 * precedence.
 */
export const documentedKeys = {
  'message.filtering.enabled': filterEnabled,
  'message.filter.enabled': filterEnabled,
  'message.filter.policy': {
    type: 'string',
    default: null,
    importance: 'low',
    group,
    displayName: 'Filter policy',
    deprecated: 'use sqs.message.filter.policy and sqs.message.filter.policy.scope=MessageBody.',
    doc: 'Filter policy on the fields of a JSON body, since the documents have such policies under this name.',
  },
  'claim.check.enabled': {
    type: 'boolean',
    default: false,
    importance: 'low',
    group,
    displayName: 'Claim check',
    stripComment: true,
    deprecated: 'use message.converter.class=io.connect.sqs.converter.ClaimCheckMessageConverter.',
    doc: 'True: claim checks are redeemed, as with message.claimcheck.enabled.',
  },
  'claim.check.field.paths': {
    type: 'string',
    default: null,
    importance: 'low',
    group,
    displayName: 'Claim check fields',
    stripComment: true,
    deprecated: 'use message.claimcheck.field.path.',
    doc: 'Dotted paths of the fields with claim checks, with commas between them.',
  },
  'fifo.deduplication.time.window.minutes': {
    type: 'int',
    default: null,
    validator: { kind: 'range', min: 0, max: 10_080 },
    importance: 'low',
    group,
    displayName: 'Deduplication window',
    stripComment: true,
    deprecated: 'use sqs.fifo.deduplication.window.ms.',
    doc: 'How long a deduplication id is remembered, in minutes.',
  },
  'error.dlq.enabled': {
    type: 'boolean',
    default: true,
    importance: 'low',
    group,
    displayName: 'Dead letters',
    stripComment: true,
    deprecated: 'leave dlq.topic away instead of false.',
    doc: 'False: error.dlq.topic has no effect.',
  },
  'error.dlq.topic': {
    type: 'string',
    default: null,
    validator: topicOrBlank,
    importance: 'low',
    group,
    displayName: 'Dead-letter topic',
    deprecated: 'use dlq.topic.',
    doc: 'Topic for messages that cannot be converted.',
  },
} as const satisfies Keys
