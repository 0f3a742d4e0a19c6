import { createDeadLetterIndex } from '@tributary/dead-letters'
import { quietLogger } from '../../support/unit-worker.ts'

// Builds an index, until it is killed.

const [brokers = '', folder = '', topic = ''] = process.argv.slice(2)
const index = createDeadLetterIndex({
  connection: { brokers: brokers.split(','), clientId: 'test' },
  ...{ log: quietLogger, folder, lookMs: 200 },
})
await index.start(new AbortController().signal)
index.follow([topic])
setInterval(() => {
  if (index.state.indexed > 0) process.send?.(index.state.indexed)
}, 5)
