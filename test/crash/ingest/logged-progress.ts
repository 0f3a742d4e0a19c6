import type { IngestLog } from '../../support/ingest.ts'

/** The step of a source task's work in which a kill finds it. */
export type Window =
  | 'before the task'
  | 'in the start of the task'
  | 'before the first ack'
  | 'between send and ack'
  | 'between ack and offset commit'
  | 'inside an open transaction'
  | 'in the end of a transaction'
  | 'with all committed'

export interface LoggedProgress {
  readonly window: Window
  /** Records of the task's last run, according to the log of its process. */
  readonly sent: number
  readonly acknowledged: number
  readonly committed: number
}

/** The progress of the connector's only task when the log of its process ended, by the debug events. */
export function loggedProgress(log: IngestLog, connector: string): LoggedProgress {
  let window: Window = 'before the task'
  let sent = 0
  let acknowledged = 0
  let committed = 0
  /** Records acknowledged in the open transaction. */
  let inTransaction: number | null = null
  for (const { name, records } of log.events(connector)) {
    switch (name) {
      case 'producer_starting':
        window = 'in the start of the task'
        sent = acknowledged = committed = 0
        inTransaction = null
        break
      case 'transaction_begun':
        inTransaction = 0
        break
      case 'batch_sent':
        sent += records
        break
      case 'batch_acknowledged':
        acknowledged += records
        if (inTransaction !== null) inTransaction += records
        break
      case 'offsets_committed':
        committed += records
        break
      case 'transaction_ending':
        window = 'in the end of a transaction'
        continue
      case 'transaction_committed':
        committed += inTransaction ?? 0
        inTransaction = null
        break
      default:
        continue
    }
    if (sent > 0) window = windowOf(sent, acknowledged, committed, inTransaction !== null)
  }
  return { window, sent, acknowledged, committed }
}

function windowOf(sent: number, acknowledged: number, committed: number, open: boolean): Window {
  if (acknowledged === 0) return 'before the first ack'
  if (open) return 'inside an open transaction'
  if (acknowledged > committed) return 'between ack and offset commit'
  return sent > acknowledged ? 'between send and ack' : 'with all committed'
}
