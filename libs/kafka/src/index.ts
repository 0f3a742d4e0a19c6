export {
  KafkaAdmin,
  type GroupDescription,
  type GroupMemberDescription,
  type NewTopic,
  type TopicDescription,
} from './admin/admin.ts'
export { CompactedLog, type CompactedLogOptions } from './log/compacted-log.ts'
export { createCompacted, existingName, isIncomplete, type CompactedTopic } from './log/compacted-topic.ts'
export type { LogRecord } from './log/committed-records.ts'
export { LogReader, type RecordAddress } from './log/log-reader.ts'
export { PartitionReader, readPartition, type ReadPartitionOptions } from './log/read-partition.ts'
export { tailTopic, type TailTopicOptions } from './log/tail.ts'
export { KafkaError } from './cluster/errors.ts'
export { decodePayload, encodePayload } from './group/group-payload.ts'
export type { GroupInstance } from './group/group-instance.ts'
export { GroupMember } from './group/group-member.ts'
export type { Assignment, GroupMemberOptions, RoundMember } from './group/group-member-options.ts'
export type { LeaseClock } from './group/lease.ts'
export { SharedRun } from './log/coalesce.ts'
