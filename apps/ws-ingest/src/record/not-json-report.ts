import type { TaskStats } from '@tributary/connect-api'
import type { RateLimitedLog } from '@tributary/push-source'
import type { Message } from '../message/message.ts'

/** Counts and logs messages that are not JSON, so that they have no key and no other field; see `RecordBuilder`. */
export function notJsonReport(stats: TaskStats, log: RateLimitedLog): (message: Message) => void {
  return ({ data, binary }) => {
    stats.messagesNotJson++
    log.warn('message_not_json', { bytes: data.length, binary, reason: 'no field can be read, such as the key' })
  }
}
