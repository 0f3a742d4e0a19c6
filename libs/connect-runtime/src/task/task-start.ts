import { warnWhenSlow } from '@tributary/async'
import type { SourcePartition, SourceTask, TaskContext, TransactionContext } from '@tributary/connect-api'
import type { TaskParts } from './task-parts.ts'

/** Reading the offsets waits for open transactions of other producers. The log reports a wait that is longer than this many ms. */
const OFFSETS_SLOW_MS = 3000

/**
 * Starts the producer and reads the offsets. A transactional producer fences the producer of the predecessor, so this function
 * awaits the lease, and its caller first ends the predecessor.
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

/**
 * Starts the task with its context. `transaction` is for tasks with `transaction.boundary=connector`. `removed` gets the source
 * partitions whose offsets the task removes. `offer`: see TaskContext; a task with transactions has none.
 */
export async function startTask(
  parts: TaskParts,
  transaction: TransactionContext,
  removed: SourcePartition[],
  offer: TaskContext['offer'],
): Promise<void> {
  const { task, offsets, id, props, written, config, log, stats, memory, clock, dataDir, onConnectionEnding } = parts
  await task.start({
    connector: id.connector,
    task: id.task,
    config: props,
    written,
    offset: (partition) => offsets.offset(id.connector, partition),
    offsets: () => offsets.offsets(id.connector),
    removeOffsets: (partitions) => {
      for (const partition of partitions) removed.push(partition)
    },
    log,
    stats,
    memory: memory.share,
    clock,
    dataDir,
    connectionEnding: onConnectionEnding,
    ...(config.exactlyOnce || offer === undefined ? {} : { offer }),
    ...(config.exactlyOnce && config.transactionBoundary === 'connector' ? { transaction } : {}),
  })
}

/** Closes what `startProducer` and `startTask` opened. An error is logged, since nothing depends on the rest. */
export async function closeTask({ task, producer, encoder, log }: TaskParts): Promise<void> {
  for (const release of [() => task.stop(), () => producer.close(), async () => encoder.close()]) {
    try {
      await release()
    } catch (error) {
      log.warn('close_failed', { error })
    }
  }
}

/** Calls a method that the task may lack. `onError` gets what it throws: a bug of the plugin. */
export function tellTask(
  task: SourceTask,
  what: 'paused' | 'resumed' | 'drain',
  onError: (error: unknown) => void,
): void {
  try {
    task[what]?.()
  } catch (error) {
    onError(error)
  }
}
