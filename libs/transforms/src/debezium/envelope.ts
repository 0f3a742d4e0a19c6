import type { ConnectRecord } from '@tributary/connect-api'

const SUFFIX = '.Envelope'

/** The name of the schema of the change events of a table (io.debezium.data.Envelope). */
export function envelopeName(table: string): string {
  return `${table}${SUFFIX}`
}

/** Whether the value is a change event, by the name of its schema. */
export function isEnvelope(record: ConnectRecord): boolean {
  return record.valueSchema?.name?.endsWith(SUFFIX) === true
}

/** Whether there is no value: what Kafka's compaction takes for a deletion. */
export function isTombstone(record: ConnectRecord): boolean {
  return record.value === null || record.value === undefined
}
