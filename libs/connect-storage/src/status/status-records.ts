import { checkTopicName } from '@tributary/config'
import { jsonBytes } from '../connect-json.ts'
import { type Fields, isCount, nameOf, objectOrNull, shown, taskOf } from '../schema/checks.ts'
import { isWorkerAddress } from '../schema/worker-address.ts'
import { LIMITS } from '../schema/limits.ts'
import type { StoreRecord } from '../types.ts'
import type { State, StatusEntry } from '../types.ts'

/** Keys and values of Kafka Connect 3.9's status topic (KafkaStatusBackingStore). A null value means deleted. */
export type StatusRecord =
  | { readonly kind: 'connector'; readonly connector: string; readonly status: StatusEntry | null }
  | { readonly kind: 'task'; readonly connector: string; readonly task: number; readonly status: StatusEntry | null }
  | { readonly kind: 'topic'; readonly connector: string; readonly topic: string; readonly present: boolean }

const STATES: readonly string[] = [
  'UNASSIGNED',
  'RUNNING',
  'PAUSED',
  'FAILED',
  'DESTROYED',
  'RESTARTING',
  'STOPPED',
] satisfies State[]
const TASK_KEY = /^status-task-(.+)-(0|[1-9]\d*)$/s
// The name of a topic contains no colon; the name of a connector may.
const TOPIC_KEY = /^status-topic-([^:]*):connector-(.+)$/s

/** Parses a record. Throws an Error that says why the record cannot be read. */
export function readStatusRecord(key: string, bytes: Uint8Array | null): StatusRecord {
  const value = objectOrNull(bytes)
  const name = (text: string): string => nameOf(text, 'connector')
  const topic = TOPIC_KEY.exec(key)
  if (topic) {
    if (checkTopicName(topic[1]!) !== null) throw new Error('the key names a topic that no topic can have')
    return { kind: 'topic', connector: name(topic[2]!), topic: topic[1]!, present: value !== null }
  }
  const task = TASK_KEY.exec(key)
  if (task) return { kind: 'task', connector: name(task[1]!), task: taskOf(task[2]!), status: value && entry(value) }
  const prefix = 'status-connector-'
  if (!key.startsWith(prefix)) throw new Error('the key is none of Kafka Connect 3.9')
  return { kind: 'connector', connector: name(key.slice(prefix.length)), status: value && entry(value) }
}

export function connectorStatusRecord(connector: string, status: StatusEntry | null): StoreRecord {
  return { key: `status-connector-${connector}`, value: status && statusBytes(status) }
}

export function taskStatusRecord(connector: string, task: number, status: StatusEntry | null): StoreRecord {
  return { key: `status-task-${connector}-${task}`, value: status && statusBytes(status) }
}

/**
 * A record that says that `task` was the first to write to the topic, at `timestamp` (ms since the epoch). A null
 * deletes the record (KIP-558).
 */
export function topicStatusRecord(
  connector: string,
  topic: string,
  found: { readonly task: number; readonly timestamp: number } | null,
): StoreRecord {
  const status = found && { topic: { name: topic, connector, task: found.task, discoverTimestamp: found.timestamp } }
  return { key: `status-topic-${topic}:connector-${connector}`, value: status && jsonBytes(status) }
}

function statusBytes(status: StatusEntry): Buffer {
  const { state, trace, workerId, generation, stalls = 0, handOver } = status
  const ours = { ...(stalls > 0 && { stalls }), ...(handOver !== undefined && { hand_over: handOver }) }
  return jsonBytes({ state, trace: trace ?? null, worker_id: workerId, generation, ...ours })
}

function entry(value: Fields): StatusEntry {
  const { state, trace, worker_id: workerId, generation, stalls, hand_over: handOver } = value
  if (typeof state !== 'string' || !STATES.includes(state)) throw new Error(`the state ${shown(state)} is unknown`)
  if (typeof workerId !== 'string' || !isWorkerAddress(workerId)) {
    throw new Error("the field 'worker_id' is missing or no host:port")
  }
  if (!Number.isSafeInteger(generation)) throw new Error("the field 'generation' is missing or no integer")
  return {
    state: state as State,
    workerId,
    generation: generation as number,
    ...(typeof trace === 'string' && { trace }),
    ...(isCount(stalls, LIMITS.stalls) && { stalls }),
    ...(typeof handOver === 'string' && handOver.length <= LIMITS.handOverChars && { handOver }),
  }
}
