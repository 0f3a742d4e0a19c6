import { isGone } from '../aws/failure.ts'
import type { SqsApi } from '../aws/sqs-api.ts'
import type { Queue } from '../message.ts'
import { checkReturning, type ReturnSettings } from './returning.ts'

interface List {
  readonly lookAgainMs: number | null
  resolve(signal: AbortSignal): Promise<readonly Queue[]>
  mayGo(url: string): boolean
}

/** A list of queues, each of which was found to bear that messages go back to it, if they do. */
export class CheckedQueues implements List {
  readonly #list: List
  readonly #config: ReturnSettings
  readonly #sqs: Pick<SqsApi, 'queueAttributes'>
  readonly #checked = new Set<string>()

  constructor(list: List, config: ReturnSettings, sqs: Pick<SqsApi, 'queueAttributes'>) {
    this.#list = list
    this.#config = config
    this.#sqs = sqs
  }

  get lookAgainMs(): number | null {
    return this.#list.lookAgainMs
  }

  mayGo(url: string): boolean {
    return this.#list.mayGo(url)
  }

  /** Leaves out a queue that has gone since it was listed. Otherwise rejects as `checkReturning` does. */
  async resolve(signal: AbortSignal): Promise<readonly Queue[]> {
    const queues = await this.#list.resolve(signal)
    const fresh = queues.filter(({ url }) => !this.#checked.has(url))
    const gone = new Set<Queue>()
    const check = async (queue: Queue): Promise<void> => {
      try {
        await checkReturning(queue, this.#config, this.#sqs, signal)
        this.#checked.add(queue.url)
      } catch (error) {
        if (!this.mayGo(queue.url) || !isGone(error)) throw error
        gone.add(queue)
      }
    }
    await Promise.all(fresh.map(check))
    return queues.filter((queue) => !gone.has(queue))
  }
}
