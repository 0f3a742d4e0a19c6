import { createDeadLetterIndex, type DeadLetterIndex, type LetterFilter } from '@tributary/dead-letters'
import { createLogger } from '@tributary/telemetry'

// One replica's index in a process of its own. It is asked by messages.

export interface Asked {
  readonly name: 'query' | 'state' | 'usage' | 'stop'
  readonly filter?: LetterFilter
  readonly page?: { readonly limit: number; readonly cursor?: string }
}

export interface Usage {
  /** MiB */
  readonly rss: number
  /** Seconds of CPU of all threads. */
  readonly cpu: number
}

const [brokers = '', topic = ''] = process.argv.slice(2)
const log = createLogger({ name: 'bench', level: 'warn' })
const index: DeadLetterIndex = createDeadLetterIndex({
  connection: { brokers: brokers.split(','), clientId: 'bench' },
  log,
})

process.on('message', ({ name, filter = {}, page = { limit: 50 } }: Asked) => {
  void (async () => {
    if (name === 'query') {
      const started = performance.now()
      const { records, total } = await index.query(filter, page)
      process.send!({ ms: performance.now() - started, ids: records.map(({ id }) => id), total })
    } else if (name === 'state') process.send!(index.state)
    else if (name === 'usage') process.send!(usage())
    else {
      await index.stop()
      process.exit()
    }
  })()
})

function usage(): Usage {
  const { user, system } = process.cpuUsage()
  return { rss: process.memoryUsage.rss() / 2 ** 20, cpu: (user + system) / 1e6 }
}

process.send!(usage())
await index.start(new AbortController().signal)
index.follow([topic])
