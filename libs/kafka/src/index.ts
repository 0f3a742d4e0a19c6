export {
  KafkaAdmin,
  type GroupDescription,
  type GroupMemberDescription,
  type NewTopic,
  type TopicDescription,
} from './admin.ts'
export { CompactedLog, type CompactedLogOptions } from './compacted-log.ts'
export type { CompactedTopic } from './compacted-topic.ts'
export type { LogRecord } from './committed-records.ts'
export { tailTopic, type TailTopicOptions } from './tail-topic.ts'
export { abortable, anySignal } from './backoff.ts'
export { KafkaError } from './errors.ts'
export { decodePayload, encodePayload } from './group-payload.ts'
export { GroupMember, type Assignment, type GroupMemberOptions, type RoundMember } from './group-member.ts'
export type { LeaseClock } from './lease.ts'
export { SharedRun } from './shared-run.ts'
