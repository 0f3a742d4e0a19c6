import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { systemClock } from '@tributary/async'
import { readSettings } from '../settings/read.ts'
import { openAws } from './clients.ts'
import { awsSettings } from './settings.ts'

test('a delete does not wait for the connections of long polls, however many queues there are', async (t) => {
  let polls = 0
  const server = createServer((request, response) => {
    if (request.headers['x-amz-target'] === 'AmazonSQS.ReceiveMessage') polls++
    else response.end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => (server.closeAllConnections(), server.close()))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const settings = awsSettings(
    readSettings({
      'kafka.topic': 't',
      'sqs.queue.url': `${url}/1/q`,
      'aws.endpoint.override': url,
      'aws.access.key.id': 'k',
      'aws.secret.access.key': 's',
      'aws.http.max.connections': '2',
    }),
  )
  const { sqs } = await openAws(settings, { attributeNames: [], clock: systemClock })
  const given = new AbortController()
  const queue = { url: `${url}/1/q`, name: 'q', fifo: false }
  const request = { maxMessages: 10, waitSeconds: 20, visibilitySeconds: 30 }
  const receives = Array.from({ length: 5 }, () => sqs.receive(queue, request, given.signal))
  assert.deepEqual(await sqs.deleteBatch(queue, ['handle'], AbortSignal.timeout(10_000)), [])
  while (polls < 5) await new Promise((resolve) => setTimeout(resolve, 5))
  given.abort(new Error('enough'))
  await Promise.allSettled(receives)
  sqs.close()
})
