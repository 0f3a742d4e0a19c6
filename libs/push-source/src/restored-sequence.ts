import type { SourceOffset } from '@tributary/connect-api'
import type { Logger } from '@tributary/telemetry'

/** The number of the last committed record (`sequence` of its offset); 0 if there is none. Logs which. */
export function restoredSequence(offset: SourceOffset | null, sessionId: string, log: Logger): number {
  if (offset === null) {
    log.info('no_previous_offset', { starting_fresh: true, sequence: 0 })
    return 0
  }
  const previous = offset['session_id']
  if (previous !== undefined && previous !== null) {
    log.warn('session_id_changed', {
      previous_session: previous,
      current_session: sessionId,
      reason: 'connector_restart',
    })
  }
  const sequence = Number(offset['sequence'] ?? NaN)
  if (!Number.isSafeInteger(sequence)) {
    log.info('no_sequence_in_offset', { starting_from_zero: true })
    return 0
  }
  log.info('offset_restored', { sequence })
  return sequence
}
