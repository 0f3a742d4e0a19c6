import { systemClock } from '@tributary/async'
import type { MessageAttribute } from '../src/message.ts'
import { FakeSqs } from './fake-sqs.ts'
import { sqsApiContract, type SqsPlace } from './sqs-api-contract.ts'

/** The fake of the unit tests, in real time. */
function fakePlace(): SqsPlace {
  const api = new FakeSqs(systemClock)
  return {
    api,
    createQueue: async (name, attributes = {}) => api.create(name, { ...attributes }),
    send: async (queue, { body, group, id, attributes = {} }) => {
      const texts = Object.entries(attributes).map(([key, stringValue]) => [key, { dataType: 'String', stringValue }])
      api.send(queue, body, {
        attributes: Object.fromEntries(texts) as Record<string, MessageAttribute>,
        ...(group === undefined ? {} : { group }),
        ...(id === undefined ? {} : { deduplicationId: id }),
      })
    },
    close: async () => api.close(),
  }
}

sqsApiContract('the fake of the unit tests', async () => fakePlace())
