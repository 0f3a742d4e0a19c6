import type { ConnectionKeeper } from '../connection/reconnector.ts'
import type { FormerRun } from './predecessor-run.ts'
import type { TaskParts } from '../task/task-parts.ts'
import { startProducer } from '../task/task-start.ts'

/** What a server sent on the former connection before it sent all on the new one too may be under way for so long, in ms. */
const LEAST_MS = 500
/** A subscription may take effect some time after it was sent; after so long, in ms, the source has nothing to send. */
const QUIET_MS = 2000
const LOOK_MS = 20

/** A run that is to follow another one. */
export interface Follower {
  readonly parts: TaskParts
  readonly connection: ConnectionKeeper
  readonly stopping: AbortSignal
  readonly abandon: AbortSignal
}

/**
 * Hand-over: a started task connects while the run before it still reads, then ends that one and goes on where it stopped.
 * What comes meanwhile is queued; a full queue pauses the transport. A stop before the former run was asked to end rejects,
 * as nothing was taken over; after that the stop has all that is queued delivered, as any does.
 */
export async function followFormer(former: FormerRun, follower: Follower): Promise<void> {
  const { parts, connection, abandon } = follower
  const { task, offsets, id } = parts
  await connectBeside(former, follower)
  const memo = await unlessAborted(former.finish(connection.connected), abandon)
  await startProducer(parts, abandon)
  task.takeOver?.({ offset: (partition) => offsets.offset(id.connector, partition), memo })
}

/** For `handOverTimeoutMs` at most. */
async function connectBeside(former: FormerRun, { parts, connection, stopping, abandon }: Follower): Promise<void> {
  const { clock, handOverTimeoutMs } = parts
  const deadline = clock.monotonic() + handOverTimeoutMs
  const ends = AbortSignal.any([stopping, abandon])
  const timeout = new AbortController()
  const timer = setTimeout(() => timeout.abort(), handOverTimeoutMs)
  try {
    await connection.connect(AbortSignal.any([ends, timeout.signal]))
    await overlap(parts, former, deadline, ends)
  } catch (error) {
    if (error !== timeout.signal.reason) throw error
  } finally {
    clearTimeout(timer)
  }
  ends.throwIfAborted()
}

/**
 * Waits until whatever only the former run could receive has come to it: for a while at least, until something has come
 * here as well, and while it cannot keep up with reading; no longer than until `deadline`, in ms of the monotonic clock.
 */
export async function overlap(
  { stats, clock }: Pick<TaskParts, 'stats' | 'clock'>,
  former: FormerRun,
  deadline: number,
  signal: AbortSignal,
): Promise<void> {
  for (let since = clock.monotonic(); ; await clock.sleep(LOOK_MS, signal)) {
    const now = clock.monotonic()
    if (former.behind?.()) since = now
    const beside = now - since
    if (beside >= LEAST_MS && (stats.messagesReceived > 0 || beside >= QUIET_MS)) return
    if (now >= deadline) return
  }
}

/** Waits no longer than until the signal; what `work` comes to then is its own business. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
