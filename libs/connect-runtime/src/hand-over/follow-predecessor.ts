import { abortable, type Clock } from '@tributary/async'
import {
  type ConnectError,
  NotConnectedError,
  type SourceOffset,
  type SourcePartition,
  type SourceTask,
  type TaskStats,
} from '@tributary/connect-api'
import type { Reconnector } from '../connection/reconnector.ts'
import type { PredecessorRun } from './predecessor.ts'

/**
 * Shortest overlap in ms. A message that the server sent before it accepted the new connection reaches the old connection only,
 * and may take this long.
 */
const OVERLAP_MIN_MS = 500
/** After this many ms of silence on the new connection the source has nothing to send. A subscription takes effect sooner. */
const SILENT_MS = 2000
const CHECK_MS = 20

/** The parts of a run that take over from a predecessor. */
export interface Successor {
  readonly task: Pick<SourceTask, 'takeOver' | 'lostConnection'>
  readonly connection: Pick<Reconnector, 'connect' | 'connected' | 'lost'>
  readonly stats: Pick<TaskStats, 'messagesReceived'>
  readonly clock: Clock
  /** `task.handover.timeout.ms` */
  readonly handOverTimeoutMs: number
  /** Starts the producer, which fences the predecessor's producer, and reads the offsets. */
  readonly startProducer: () => Promise<void>
  readonly offset: (partition: SourcePartition) => SourceOffset | null
  /** Aborts when the run is stopped. */
  readonly stopping: AbortSignal
  /** Aborts when the run is abandoned. */
  readonly abandon: AbortSignal
}

/**
 * Hands a task over with overlap: connects the successor while the predecessor still reads, ends the predecessor, then lets the
 * successor go on where the predecessor stopped. The successor queues the messages that arrive in the meantime; a full queue pauses
 * the transport. Rejects at a stop before `predecessor.finish`, since the successor has taken over nothing by then. A later stop
 * delivers everything queued, as any stop does.
 */
export async function followPredecessor(predecessor: PredecessorRun, successor: Successor): Promise<void> {
  const { task, connection, offset, startProducer, abandon } = successor
  await connectBeside(predecessor, successor)
  const handOverState = await abortable(predecessor.finish(connection.connected), abandon)
  await startProducer()
  task.takeOver?.({ offset, handOverState })
}

/** Connects the successor and awaits the overlap, for `handOverTimeoutMs` at most. Resolves also without a connection. */
async function connectBeside(predecessor: PredecessorRun, successor: Successor): Promise<void> {
  const { task, connection, clock, handOverTimeoutMs, stopping, abandon } = successor
  const deadline = clock.monotonic() + handOverTimeoutMs
  const ends = AbortSignal.any([stopping, abandon])
  const timeout = new AbortController()
  const timer = setTimeout(() => timeout.abort(), handOverTimeoutMs)
  try {
    const limit = AbortSignal.any([ends, timeout.signal])
    let lost: ConnectError | null
    do {
      await connection.connect(limit)
      await overlap(successor, predecessor, deadline, ends)
      lost = task.lostConnection?.() ?? null
      if (lost instanceof NotConnectedError) connection.lost(lost)
    } while (lost instanceof NotConnectedError)
    // Some servers greet a second connection of an account and then refuse it.
    if (lost !== null) throw lost
  } catch (error) {
    if (error !== timeout.signal.reason) throw error
  } finally {
    clearTimeout(timer)
  }
  ends.throwIfAborted()
}

/**
 * Waits until the predecessor has received every message that the server sent to it alone. The wait lasts `OVERLAP_MIN_MS` or
 * longer: until the successor has received a message too, or for `SILENT_MS`. It starts anew while the predecessor is behind. It
 * ends at `deadline`, in ms of the monotonic clock, and when the successor's connection ends.
 */
export async function overlap(
  { task, stats, clock }: Pick<Successor, 'task' | 'stats' | 'clock'>,
  predecessor: PredecessorRun,
  deadline: number,
  signal: AbortSignal,
): Promise<void> {
  for (let since = clock.monotonic(); ; await clock.sleep(CHECK_MS, signal)) {
    if ((task.lostConnection?.() ?? null) !== null) return
    const now = clock.monotonic()
    if (predecessor.behind?.()) since = now
    const overlapMs = now - since
    if (overlapMs >= OVERLAP_MIN_MS && (stats.messagesReceived > 0 || overlapMs >= SILENT_MS)) return
    if (now >= deadline) return
  }
}
