import { findCoordinatorV4, initProducerIdV4 } from '@platformatic/kafka'
import { abortable, sleep } from '@tributary/async'
import { Backoff } from '../cluster/backoff.ts'
import { call, type Cluster } from '../cluster/cluster.ts'
import { checkCode, KafkaError } from '../cluster/errors.ts'

const TRANSACTION_KEY = 1
/** Requests that one call has under way at most. */
const PARALLEL = 32
/**
 * The coordinator gives its log so long to take the new epoch, and keeps it as the id's transaction timeout until the next
 * producer starts. Much less fails on a slow disk (KAFKA-16047), much more may exceed transaction.max.timeout.ms.
 */
const TRANSACTION_TIMEOUT_MS = 10_000

/**
 * Fences every producer that holds one of the transactional ids, as Java's Admin.fenceProducers (KIP-618): the epoch of each
 * goes up by one, what they left open is aborted, and their next request fails with PRODUCER_FENCED. An id that nobody ever
 * had is fine. Tries what may heal again until `signal`; rejects with its reason, or with a KafkaError that cannot heal.
 */
export async function fenceProducers(
  cluster: Cluster,
  transactionalIds: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  // An open transaction's abort is asked for by the first try and awaited by the following ones, which takes some ms.
  const backoff = new Backoff(10, 1000)
  for (let ids = [...new Set(transactionalIds)]; ids.length > 0;) {
    ids = await abortable(fenceOnce(cluster, ids), signal)
    if (ids.length > 0) await sleep(backoff.next(), signal)
  }
}

/** One try for each id; answers those that are to be tried again. */
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

/** null for an error that another try may heal. */
async function healing<T>(attempt: Promise<T>): Promise<T | null> {
  try {
    return await attempt
  } catch (error) {
    if (error instanceof KafkaError && error.retriable) return null
    throw error
  }
}

type Coordinator = findCoordinatorV4.FindCoordinatorResponse['coordinators'][number]

async function findCoordinators(cluster: Cluster, ids: readonly string[]): Promise<Coordinator[]> {
  const { coordinators } = await call(await cluster.any(), findCoordinatorV4.api, TRANSACTION_KEY, [...ids])
  return coordinators
}

/** Takes the id over with no producer id of its own (-1/-1, KIP-360), which the coordinator refuses nobody. */
async function fence(cluster: Cluster, { key, nodeId, errorCode, errorMessage }: Coordinator): Promise<true> {
  checkCode(errorCode, `find the coordinator of transactional id ${key}`, errorMessage)
  const node = await cluster.node(nodeId)
  const response = await call(node, initProducerIdV4.api, key, TRANSACTION_TIMEOUT_MS, -1n, -1)
  checkCode(response.errorCode, `fence transactional id ${key}`)
  return true
}
