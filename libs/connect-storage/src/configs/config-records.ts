import { isObject, jsonBytes, toJson } from '../connect-json.ts'
import { type Fields, isCount, nameOf, objectOrNull, shown, taskOf } from '../schema/checks.ts'
import { LIMITS } from '../schema/limits.ts'
import type { StoreRecord } from '../types.ts'
import type { ConnectorConfig, RestartRequest, TargetState } from '../types.ts'

/**
 * Keys and values of Kafka Connect 3.9's config topic (KafkaConfigBackingStore). We add the fields `generation` in
 * `task-` and `commit-` values and `task` in `restart-connector-` values. Connect ignores both.
 */

/**
 * One parsed record of the config topic. `fields` holds all fields of the value, so that unknown ones are kept when the
 * value is written again.
 */
export type ConfigRecord =
  | { readonly kind: 'connector'; readonly connector: string; readonly value: ConnectorValue | null }
  | { readonly kind: 'targetState'; readonly connector: string; readonly value: TargetStateValue | null }
  | { readonly kind: 'task'; readonly connector: string; readonly task: number; readonly value: TaskValue | null }
  | { readonly kind: 'commit'; readonly connector: string; readonly value: CommitValue | null }
  | { readonly kind: 'restart'; readonly request: RestartRequest | null }
  | { readonly kind: 'loggerLevel'; readonly logger: string; readonly level: string | null }
  /** `session-key` and `tasks-fencing-`, which only Connect's own workers use. */
  | { readonly kind: 'foreign' }

interface ConnectorValue {
  readonly properties: ConnectorConfig
  readonly fields: Fields
}
interface TargetStateValue {
  readonly state: TargetState
  readonly fields: Fields
}
interface TaskValue {
  readonly properties: ConnectorConfig
  /** null when Connect wrote the record. */
  readonly generation: number | null
}
interface CommitValue {
  readonly tasks: number
  readonly generation: number | null
}

/** Start of the keys of requests to restart. A request counts once, when it is read. */
export const RESTART_PREFIX = 'restart-connector-'
const TASK_KEY = /^task-(.+)-(0|[1-9]\d*)$/s

/** The longest name of a level has 5 letters. */
const MAX_LEVEL_CHARS = 20

/** Parses a record. Throws an Error that says why the record cannot be read. */
export function readConfigRecord(key: string, bytes: Uint8Array | null): ConfigRecord {
  const value = objectOrNull(bytes)
  const after = (prefix: string, what = 'connector'): string | null =>
    key.startsWith(prefix) ? nameOf(key.slice(prefix.length), what) : null

  let name = after('target-state-')
  if (name !== null) return { kind: 'targetState', connector: name, value: value && targetStateValue(value) }
  name = after('connector-')
  if (name !== null) {
    return { kind: 'connector', connector: name, value: value && { properties: properties(value), fields: value } }
  }
  if (key.startsWith('tasks-fencing-') || key === 'session-key') return { kind: 'foreign' }
  const task = TASK_KEY.exec(key)
  if (task) {
    const taskValue = value && { properties: properties(value), generation: generation(value) }
    return { kind: 'task', connector: nameOf(task[1]!, 'connector'), task: taskOf(task[2]!), value: taskValue }
  }
  name = after('commit-')
  if (name !== null) {
    return { kind: 'commit', connector: name, value: value && { tasks: count(value), generation: generation(value) } }
  }
  name = after(RESTART_PREFIX)
  if (name !== null) return { kind: 'restart', request: value && restartRequest(name, value) }
  name = after('logger-cluster-', 'logger')
  if (name !== null) {
    return { kind: 'loggerLevel', logger: name, level: level(value) }
  }
  throw new Error('the key is none of Kafka Connect 3.9')
}

export function connectorRecord(connector: string, config: ConnectorConfig, kept: Fields = {}): StoreRecord {
  return { key: `connector-${connector}`, value: jsonBytes({ ...kept, properties: config }) }
}

/** Workers before Connect 3.5 read `state`; newer ones read `state.v2` (KIP-875). */
export function targetStateRecord(connector: string, state: TargetState, kept: Fields = {}): StoreRecord {
  const old = state === 'STOPPED' ? 'PAUSED' : state
  return { key: `target-state-${connector}`, value: jsonBytes({ ...kept, state: old, 'state.v2': state }) }
}

/** The task records and then their commit record. The commit comes last, so that a reader never applies half a set. */
export function taskRecords(connector: string, tasks: readonly ConnectorConfig[], generation: number): StoreRecord[] {
  const records = tasks.map((properties, n) => ({
    key: `task-${connector}-${n}`,
    value: jsonBytes({ properties, generation }),
  }))
  return [...records, { key: `commit-${connector}`, value: jsonBytes({ tasks: tasks.length, generation }) }]
}

/**
 * The connector's own tombstone comes first. Connect's workers then know that the connector is gone, and only log the
 * other tombstones.
 */
export function connectorTombstones(connector: string, tasks: Iterable<number>): StoreRecord[] {
  const keys = [`connector-${connector}`, `target-state-${connector}`, `commit-${connector}`]
  for (const task of tasks) keys.push(`task-${connector}-${task}`)
  return keys.map((key) => ({ key, value: null }))
}

export function restartRecord({ connector, includeTasks, onlyFailed, task }: RestartRequest): StoreRecord {
  const value = { 'include-tasks': includeTasks, 'only-failed': onlyFailed, task }
  return { key: `${RESTART_PREFIX}${connector}`, value: jsonBytes(value) }
}

export function loggerLevelRecord(logger: string, level: string): StoreRecord {
  return { key: `logger-cluster-${logger}`, value: jsonBytes({ level }) }
}

function properties(value: Fields): ConnectorConfig {
  const found = value['properties']
  if (!isObject(found)) throw new Error("the field 'properties' is missing or no object")
  // Connect may store a null, for a key that REST sent as null. A null means that the key is not set.
  const set = Object.entries(found).filter(([, text]) => text !== null)
  return Object.fromEntries(set.map(([name, text]) => [name, typeof text === 'string' ? text : toJson(text)]))
}

function count(value: Fields): number {
  const tasks = value['tasks']
  if (!isCount(tasks, LIMITS.tasks)) throw new Error(`the field 'tasks' is no count up to ${LIMITS.tasks}`)
  return tasks
}

function generation(value: Fields): number | null {
  const found = value['generation']
  if (found === undefined || found === null) return null
  if (!isCount(found, LIMITS.generation)) throw new Error("the field 'generation' is no count")
  return found
}

function level(value: Fields | null): string | null {
  const found = value?.['level']
  return typeof found === 'string' && found.length <= MAX_LEVEL_CHARS ? found : null
}

function targetStateValue(fields: Fields): TargetStateValue {
  const state = fields['state.v2'] ?? fields['state']
  if (state !== 'STARTED' && state !== 'PAUSED' && state !== 'STOPPED') {
    throw new Error(`the target state ${shown(state)} is none of STARTED, PAUSED, STOPPED`)
  }
  return { state, fields }
}

function restartRequest(connector: string, value: Fields): RestartRequest {
  const request = {
    connector,
    includeTasks: value['include-tasks'] === true,
    onlyFailed: value['only-failed'] === true,
  }
  const { task } = value
  if (task === undefined || task === null) return request
  if (!isCount(task, LIMITS.tasks)) throw new Error("the field 'task' is no number of a task")
  return { ...request, task }
}
