import { randomUUID } from 'node:crypto'
import {
  type Clock,
  createTaskStats,
  type OffsetEntry,
  parseConfig,
  type Props,
  recordsOf,
  type SourceOffset,
  type SourcePartition,
  type SourceRecord,
  type TaskContext,
  type TaskStats,
} from '@tributary/connect-api'
import { RateLimitedLog } from '@tributary/push-source'
import type { LogFields, Logger } from '@tributary/telemetry'
import { websocketSpec } from '../config/config.ts'
import type { ConnectionInfo } from '../message/message.ts'
import type { MessageRun } from '../message/message-run.ts'
import { runOf } from '../message/testing.ts'
import { createRecordSource, type RecordSource } from './record-source.ts'

/** A record source for unit tests, with the counters and log events of its task. */
export interface ReadFeed {
  readonly source: RecordSource
  readonly stats: TaskStats
  readonly events: readonly (readonly [event: string, fields: LogFields])[]
  /** Source partitions whose offsets were removed. */
  readonly removed: readonly SourcePartition[]
}

export interface ReadFeedOptions {
  /** Returns the last committed offset of a source partition. */
  readonly offset?: (partition: SourcePartition) => SourceOffset | null
  /** All committed offsets. */
  readonly offsets?: () => readonly OffsetEntry[]
}

export const URL = 'wss://feed.example.com/ws?token=secret'
/** The time of the stopped clock, in ms since the epoch. */
export const NOW = 1_700_000_000_000
export const FIRST: ConnectionInfo = { number: 1 }
export const NEVER = new AbortController().signal

/** Creates the record source of a feed with this configuration, without a transport. */
export function readFeed(props: Props, { offset = () => null, offsets = () => [] }: ReadFeedOptions = {}): ReadFeed {
  const events: [string, LogFields][] = []
  const stats = createTaskStats()
  const log = {
    info: (event: string, fields: LogFields = {}) => void events.push([event, fields]),
    warn: (event: string, fields: LogFields = {}) => void events.push([event, fields]),
  } as unknown as Logger
  const clock: Clock = { now: () => NOW, monotonic: () => 0, sleep: () => Promise.resolve() }
  const config = parseConfig(websocketSpec, { 'websocket.url': URL, 'kafka.topic': 'all', ...props })
  const removed: SourcePartition[] = []
  const removeOffsets = (partitions: readonly SourcePartition[]): void => void removed.push(...partitions)
  const context = {
    connector: 'quotes',
    task: 0,
    offset,
    offsets,
    removeOffsets,
    clock,
    stats,
  } as unknown as TaskContext
  const busyLog = new RateLimitedLog(log, clock)
  const source = createRecordSource({ context, config, sessionId: randomUUID(), lastSequence: 0, busyLog })
  return { source, stats, events, removed }
}

/** Messages of one connection, as JSON. */
export function messagesOf(contents: readonly unknown[], connection: ConnectionInfo = FIRST): MessageRun[] {
  return contents.map((content) => runOf(JSON.stringify(content), connection))
}

/** The parsed values of the records of the feed's topic. */
export function contentsOf(records: readonly SourceRecord[]): unknown[] {
  return records.filter(({ topic }) => topic === 'all').map(({ value }) => JSON.parse(String(value)) as unknown)
}

export const NUMBERED: Props = { 'sequence.field': 'n' }
export const KEYED: Props = { 'sequence.field': 'd.n', 'sequence.key.field': 'd.s' }

/** The records of messages, as objects. */
export async function recordsFrom(source: RecordSource, messages: readonly MessageRun[]): Promise<SourceRecord[]> {
  return (await source.records(messages, NEVER)).flatMap(recordsOf)
}

/** The records of messages from one connection. */
export async function read(
  { source }: ReadFeed,
  contents: readonly unknown[],
  connection = FIRST,
): Promise<SourceRecord[]> {
  return recordsFrom(source, messagesOf(contents, connection))
}

export const numbers = (...all: number[]): { n: number }[] => all.map((n) => ({ n }))
export const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i)
export const keyed = (s: string, ...all: number[]): { d: { s: string; n: number } }[] =>
  all.map((n) => ({ d: { s, n } }))

/** A lookup of committed offsets by value. */
export function offsets(entries: readonly (readonly [SourcePartition, SourceOffset])[]) {
  const stored = new Map(entries.map(([partition, offset]) => [JSON.stringify(partition), offset]))
  return (partition: SourcePartition): SourceOffset | null => stored.get(JSON.stringify(partition)) ?? null
}
