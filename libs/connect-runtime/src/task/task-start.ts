import { warnWhenSlow } from '@tributary/async'
import type { TransactionContext } from '@tributary/connect-api'
import type { TaskParts } from './task-parts.ts'

/** Reading the offsets waits for transactions that others left open. After this many ms the log says so. */
const OFFSETS_SLOW_MS = 3000

/**
 * Makes the producer ready and reads the offsets. A transactional producer fences the one that had the task before, so this waits
 * for the lease, and comes after the end of a predecessor.
 */
export async function startProducer({ producer, offsets, lease, log }: TaskParts, signal: AbortSignal): Promise<void> {
  await lease.passed(signal)
  log.debug('producer_starting')
  await producer.start(signal)
  log.debug('producer_started')
  await lease.passed(signal)
  await warnWhenSlow(offsets.refresh(signal), OFFSETS_SLOW_MS, () => {
    log.warn('offsets_awaited', { reason: 'an open transaction on the offsets topic, or Kafka is slow' })
  })
}

/** Gives the task its context. `transaction` is for tasks that say themselves where their transactions end. */
export async function startTask(parts: TaskParts, transaction: TransactionContext): Promise<void> {
  const { task, offsets, id, props, config, log, stats, clock, dataDir } = parts
  await task.start({
    connector: id.connector,
    task: id.task,
    config: props,
    offset: (partition) => offsets.offset(id.connector, partition),
    log,
    stats,
    clock,
    dataDir,
    ...(config.exactlyOnce && config.transactionBoundary === 'connector' ? { transaction } : {}),
  })
}
