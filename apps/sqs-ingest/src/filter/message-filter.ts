import { openEnvelopes } from '../convert/envelope.ts'
import { type FilterPolicy, parsePolicy, type PolicyScope } from './policy.ts'

/** The keys that decide which messages become records, as `readSettings` gives them. */
export interface FilterSettings {
  readonly 'sqs.message.filter.policy': string | null
  readonly 'sqs.message.filter.policy.scope': string
  readonly 'message.unwrap.envelopes': readonly string[]
  readonly 'message.unwrap.depth.max': number
}

const KEY = 'sqs.message.filter.policy'

/**
 * The filter of a configuration; null without a policy. Where envelopes are taken off, the policy looks at what is within: at the
 * body, or at the attributes that a notification of SNS carries, together with the message's own. Throws ConfigError
 * SQS_FILTER_POLICY.
 *
 * `quotas`: whether the policy must be within SNS's quotas; see PolicyOptions.
 */
export function messageFilter(settings: FilterSettings, { quotas }: { readonly quotas: boolean }): FilterPolicy | null {
  const { [KEY]: text, 'message.unwrap.envelopes': kinds, 'message.unwrap.depth.max': maxDepth } = settings
  if (text === null || text === '') return null
  const scope = settings['sqs.message.filter.policy.scope'] as PolicyScope
  const policy = parsePolicy(text, { scope, key: KEY, quotas })
  if (kinds.length === 0) return policy
  return {
    attributeNames: policy.attributeNames,
    matches({ body, attributes }) {
      const opened = openEnvelopes(body, kinds, maxDepth)
      // The conversion says what is wrong with this message. A filter would make it vanish.
      if (opened === null) return true
      return policy.matches({ body: opened.content, attributes: { ...attributes, ...opened.attributes } })
    },
  }
}

/** What a receive must ask SQS for, beside what the user wants as headers. */
const TRACE_ATTRIBUTES = ['traceparent', 'tracestate']

/**
 * The attributes to receive, as ReceiveMessage takes them: `All`, or names, of which one may end in `.*`. `wanted` null: all. [] if
 * attributes are off and nothing needs one.
 */
export function attributesToReceive(
  { enabled, wanted }: { readonly enabled: boolean; readonly wanted: string | null },
  filter: Pick<FilterPolicy, 'attributeNames'> | null,
): readonly string[] {
  const names = (wanted ?? '').split(',').flatMap((name) => (name.trim() === '' ? [] : [name.trim()]))
  if (enabled && (names.length === 0 || names.includes('All'))) return ['All']
  return [...new Set([...(enabled ? names : []), ...(filter?.attributeNames ?? []), ...TRACE_ATTRIBUTES])]
}
