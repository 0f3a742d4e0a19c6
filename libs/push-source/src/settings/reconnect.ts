import type { Keys, ValuesOf } from '@tributary/config'
import type { ReconnectPolicy } from '@tributary/connect-api'
import type { BooleanKey, IntKey, LongKey } from './key-types.ts'

const group = 'Reconnect'

/**
 * The keys `<prefix>.reconnect.*`, and the policy that `SourcePlugin.reconnectPolicy` returns. `connects`: the word for a
 * connection in the documentation of the keys, such as `stream`. `connectTimeoutMs`: longest time of one connect; 0: the source
 * limits that time itself.
 */
export function reconnectSettings<P extends string>(prefix: P, connects = 'connection') {
  const keys = {
    [`${prefix}.reconnect.enabled` as const]: {
      type: 'boolean',
      default: true,
      importance: 'medium',
      group,
      displayName: 'Reconnect',
      doc: `Whether the task opens a new ${connects} when one has ended. False: the task is FAILED when its first ${connects} ends.`,
    },
    [`${prefix}.reconnect.interval.ms` as const]: {
      type: 'long',
      default: 5000,
      importance: 'medium',
      group,
      displayName: 'Interval',
      stripComment: true,
      doc: `First wait between two tries, in ms; the wait doubles with each further try. A negative value counts as 0. After a healthy ${connects} the first try comes after at most 50 ms. If the server asks for a longer wait, the task waits that long.`,
    },
    [`${prefix}.reconnect.max.attempts` as const]: {
      type: 'int',
      default: -1,
      importance: 'medium',
      group,
      displayName: 'Tries',
      stripComment: true,
      doc: `Number of consecutive tries without a healthy ${connects} after which the task is FAILED. 0 or less, the default: no limit, because most outages end by themselves.`,
    },
    [`${prefix}.reconnect.healthy.ms` as const]: {
      type: 'long',
      default: 10_000,
      validator: { kind: 'range', min: 0 },
      importance: 'low',
      group,
      displayName: 'Healthy after',
      stripComment: true,
      doc: `Time, in ms, after which a ${connects} counts as healthy. A shorter ${connects} counts as a failed try, also if it delivered messages, because servers ban clients that connect again and again.`,
    },
    [`${prefix}.reconnect.backoff.max.ms` as const]: {
      type: 'long',
      default: 60_000,
      importance: 'medium',
      group,
      displayName: 'Longest wait',
      stripComment: true,
      doc: 'Longest wait between two tries, in ms. A negative value counts as 0.',
    },
  } satisfies Keys as ReconnectKeys<P>
  const policy = (config: ValuesOf<ReconnectKeys<P>>, connectTimeoutMs = 0): ReconnectPolicy => {
    const value = (name: string): unknown => (config as Record<string, unknown>)[`${prefix}.reconnect.${name}`]
    return {
      enabled: value('enabled') as boolean,
      intervalMs: Math.max(0, value('interval.ms') as number),
      backoffMaxMs: Math.max(0, value('backoff.max.ms') as number),
      maxAttempts: value('max.attempts') as number,
      healthyMs: value('healthy.ms') as number,
      connectTimeoutMs,
    }
  }
  return { keys, policy }
}
type ReconnectKeys<P extends string> = Readonly<
  Record<`${P}.reconnect.enabled`, BooleanKey> &
    Record<`${P}.reconnect.${'interval.ms' | 'backoff.max.ms' | 'healthy.ms'}`, LongKey> &
    Record<`${P}.reconnect.max.attempts`, IntKey>
>
