import type { SqsApi } from '../aws/sqs-api.ts'
import type { Queue } from '../message.ts'
import { checkReturning, type ReturnSettings } from './returning.ts'

interface List {
  readonly lookAgainMs: number | null
  resolve(signal: AbortSignal): Promise<readonly Queue[]>
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

  /** Rejects as `checkReturning` does. */
  async resolve(signal: AbortSignal): Promise<readonly Queue[]> {
    const queues = await this.#list.resolve(signal)
    const fresh = queues.filter(({ url }) => !this.#checked.has(url))
    await Promise.all(fresh.map((queue) => checkReturning(queue, this.#config, this.#sqs, signal)))
    for (const { url } of fresh) this.#checked.add(url)
    return queues
  }
}
