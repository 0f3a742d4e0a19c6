import { abortable, sleep } from '@tributary/async'
import { type Coordinator, findCoordinatorV4, initProducerIdV4, TRANSACTION_KEY } from '../client/index.ts'
import { Backoff } from '../cluster/backoff.ts'
import { call, type Cluster } from '../cluster/cluster.ts'
import { checkCode, KafkaError } from '../cluster/errors.ts'

/** Requests in flight of one call, at most. */
const PARALLEL = 32
/**
 * How long the coordinator may take to write the new epoch. It also keeps this value as the transaction timeout of the
 * id until the next producer starts. A much smaller value fails on a slow disk (KAFKA-16047), a much larger one may
 * exceed transaction.max.timeout.ms.
 */
const TRANSACTION_TIMEOUT_MS = 10_000
/** Takes the id over from whoever holds it (KIP-360). */
const NEXT_EPOCH = { producerId: -1n, producerEpoch: -1 }

/**
 * Fences every producer that holds one of the transactional ids, as Java's Admin.fenceProducers does (KIP-618): the
 * epoch of each id grows by one, open transactions are aborted, and the next request of a fenced producer fails with
 * PRODUCER_FENCED. An unused id is no error. Retries errors that may heal until `signal` aborts. Rejects with the
 * reason of the signal, or with a KafkaError that cannot heal.
 */
export async function fenceProducers(
  cluster: Cluster,
  transactionalIds: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  // The first try asks for the abort of an open transaction; the following ones wait for it, which takes some ms.
  const backoff = new Backoff(10, 1000)
  for (let ids = [...new Set(transactionalIds)]; ids.length > 0;) {
    ids = await abortable(fenceOnce(cluster, ids), signal)
    if (ids.length > 0) await sleep(backoff.next(), signal)
  }
}

/** Tries each id once. Returns the ids to try again. */
async function fenceOnce(cluster: Cluster, ids: readonly string[]): Promise<string[]> {
  const found = await healing(findCoordinators(cluster, ids))
  if (found === null) return [...ids]
  const again: string[] = []
  const queue = found.values()
  const work = async (): Promise<void> => {
    for (const coordinator of queue) {
      if ((await healing(fence(cluster, coordinator))) === null) again.push(coordinator.key)
    }
  }
  await Promise.all(Array.from({ length: Math.min(PARALLEL, ids.length) }, work))
  return again
}

/** Resolves to null for an error that another try may heal. */
async function healing<T>(attempt: Promise<T>): Promise<T | null> {
  try {
    return await attempt
  } catch (error) {
    if (error instanceof KafkaError && error.retriable) return null
    throw error
  }
}

async function findCoordinators(cluster: Cluster, ids: readonly string[]): Promise<Coordinator[]> {
  const { coordinators } = await call(await cluster.any(), findCoordinatorV4, TRANSACTION_KEY, ids)
  return coordinators
}

/** Takes the id over without a producer id (-1/-1, KIP-360). The coordinator refuses that to nobody. */
async function fence(cluster: Cluster, { key, nodeId, errorCode, errorMessage }: Coordinator): Promise<true> {
  const lacking = cluster.lacking('Write', 'TransactionalId', key)
  checkCode(errorCode, `find the coordinator of transactional id ${key}`, lacking, errorMessage)
  const node = await cluster.node(nodeId)
  const response = await call(node, initProducerIdV4, key, TRANSACTION_TIMEOUT_MS, NEXT_EPOCH)
  checkCode(response.errorCode, `fence transactional id ${key}`, lacking)
  return true
}
