import type { Props } from '@tributary/connect-api'
import { isJvmClass, isSet, type SqsSettings } from '../settings/read.ts'
import { type FilterPolicy, parsePolicy } from './policy.ts'

/** The policy of the settings; null without one. Throws ConfigError on the key that holds the policy. */
export function filterOf(config: SqsSettings, props: Props): FilterPolicy | null {
  const text = config['sqs.message.filter.policy']
  if (text === null) return null
  const key = isSet(props, 'sqs.message.filter.policy') ? 'sqs.message.filter.policy' : 'message.filter.policy'
  return parsePolicy(text, { scope: config['sqs.message.filter.policy.scope'], key, quotas: !isJvmClass(props) })
}
