import type { Clock } from '@tributary/connect-api'
import type { SqsApi } from '../aws/sqs-api.ts'
import type { Queue } from '../message.ts'

/** SQS itself is up to a minute behind, and each question costs a request. */
const SHORTEST_INTERVAL_MS = 30_000
const NAMES = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible', 'ApproximateNumberOfMessagesDelayed'] as const // prettier-ignore

/** Messages of a queue by SQS's estimate: those that a receive could get, those that are hidden, and those that are delayed. */
export interface QueueDepth {
  readonly visible: number
  readonly inFlight: number
  readonly delayed: number
}

/** Asks for the depths of queues, at most each 30 s. */
export class QueueDepths {
  /** By the name of the queue. */
  readonly depths = new Map<string, QueueDepth>()
  readonly #sqs: Pick<SqsApi, 'queueAttributes'>
  readonly #clock: Clock
  readonly #intervalMs: number
  #nextAt = 0

  /** `intervalMs`: 0 never asks; less than 30 s counts as 30 s. */
  constructor(sqs: Pick<SqsApi, 'queueAttributes'>, clock: Clock, intervalMs: number) {
    this.#sqs = sqs
    this.#clock = clock
    this.#intervalMs = intervalMs === 0 ? Infinity : Math.max(SHORTEST_INTERVAL_MS, intervalMs)
  }

  /**
   * Asks for the depth of each queue if it is time to. Rejects with the ConnectError of the first queue that cannot be asked; the
   * depths of the others are there then. A depth that could not be renewed is gone, since an old one would keep an alert silent.
   */
  async maybeAsk(queues: readonly Queue[], signal: AbortSignal): Promise<void> {
    const now = this.#clock.monotonic()
    if (this.#intervalMs === Infinity || now < this.#nextAt) return
    this.#nextAt = now + this.#intervalMs
    const asked = await Promise.allSettled(queues.map(({ url }) => this.#sqs.queueAttributes(url, NAMES, signal)))
    this.depths.clear()
    asked.forEach((answer, at) => {
      if (answer.status === 'fulfilled') this.depths.set(queues[at]!.name, depthOf(answer.value))
    })
    const failed = asked.find((answer) => answer.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }
}

function depthOf(attributes: Readonly<Record<string, string | undefined>>): QueueDepth {
  const [visible = 0, inFlight = 0, delayed = 0] = NAMES.map((name) => Number(attributes[name] ?? 0))
  return { visible, inFlight, delayed }
}
