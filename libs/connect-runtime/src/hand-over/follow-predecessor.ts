import { abortable, type Clock } from '@tributary/async'
import type { SourceOffset, SourcePartition, SourceTask, TaskStats } from '@tributary/connect-api'
import type { Reconnector } from '../connection/reconnector.ts'
import type { PredecessorRun } from './predecessor.ts'

/**
 * Shortest overlap in ms. A message that the server sent on the old connection alone, before it knew of the new one, may be
 * under way for as long as this.
 */
const OVERLAP_MIN_MS = 500
/** After as many ms of silence on the new connection, its source has nothing to send: a subscription takes effect sooner. */
const SILENT_MS = 2000
const CHECK_MS = 20

/** A run that is to follow another one. */
export interface Successor {
  readonly task: Pick<SourceTask, 'takeOver'>
  readonly connection: Pick<Reconnector, 'connect' | 'connected'>
  readonly stats: Pick<TaskStats, 'messagesReceived'>
  readonly clock: Clock
  /** `task.handover.timeout.ms` */
  readonly handOverTimeoutMs: number
  /** Makes the producer ready, which fences the predecessor's, and reads the offsets. */
  readonly startProducer: () => Promise<void>
  readonly offset: (partition: SourcePartition) => SourceOffset | null
  /** Aborts at a stop. */
  readonly stopping: AbortSignal
  /** Aborts when the run is given up. */
  readonly abandon: AbortSignal
}

/**
 * Hand-over with overlap: connects a started task while its predecessor still reads, then ends the predecessor and goes on where
 * it stopped. Messages that arrive meanwhile are queued; a full queue pauses the transport. A stop before the predecessor was
 * asked to end rejects, since nothing was taken over. A stop after that delivers everything queued, as any stop does.
 */
export async function followPredecessor(predecessor: PredecessorRun, successor: Successor): Promise<void> {
  const { task, connection, offset, startProducer, abandon } = successor
  await connectBeside(predecessor, successor)
  const handOverState = await abortable(predecessor.finish(connection.connected), abandon)
  await startProducer()
  task.takeOver?.({ offset, handOverState })
}

/** Takes `handOverTimeoutMs` at most, connected or not. */
async function connectBeside(predecessor: PredecessorRun, successor: Successor): Promise<void> {
  const { connection, clock, handOverTimeoutMs, stopping, abandon } = successor
  const deadline = clock.monotonic() + handOverTimeoutMs
  const ends = AbortSignal.any([stopping, abandon])
  const timeout = new AbortController()
  const timer = setTimeout(() => timeout.abort(), handOverTimeoutMs)
  try {
    await connection.connect(AbortSignal.any([ends, timeout.signal]))
    await overlap(successor, predecessor, deadline, ends)
  } catch (error) {
    if (error !== timeout.signal.reason) throw error
  } finally {
    clearTimeout(timer)
  }
  ends.throwIfAborted()
}

/**
 * Waits until the predecessor has received whatever only it could receive: at least `OVERLAP_MIN_MS`, until something has come
 * to the successor as well, and as long as the predecessor cannot keep up. Ends at `deadline`, in ms of the monotonic clock.
 */
export async function overlap(
  { stats, clock }: Pick<Successor, 'stats' | 'clock'>,
  predecessor: PredecessorRun,
  deadline: number,
  signal: AbortSignal,
): Promise<void> {
  for (let since = clock.monotonic(); ; await clock.sleep(CHECK_MS, signal)) {
    const now = clock.monotonic()
    if (predecessor.behind?.()) since = now
    const overlapMs = now - since
    if (overlapMs >= OVERLAP_MIN_MS && (stats.messagesReceived > 0 || overlapMs >= SILENT_MS)) return
    if (now >= deadline) return
  }
}
