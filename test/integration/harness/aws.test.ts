import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sharedElasticMq, sharedMoto, sqsCall, startVersityGw } from '@tributary/harness'
import { failureOf } from './bare-machine.ts'

for (const [name, shared] of Object.entries({ ElasticMQ: sharedElasticMq, moto: sharedMoto })) {
  test(`${name} keeps a message and gives it back`, async () => {
    const { url, accountId } = await shared()
    const QueueName = `harness-${process.pid}`
    const { QueueUrl } = await sqsCall<{ QueueUrl: string }>(url, 'CreateQueue', { QueueName })
    assert.equal(QueueUrl, `${url}/${accountId}/${QueueName}`)
    await sqsCall(url, 'SendMessage', { QueueUrl, MessageBody: 'hello' })
    const { Messages } = await sqsCall<{ Messages: { Body: string }[] }>(url, 'ReceiveMessage', { QueueUrl })
    assert.deepEqual(
      Messages.map((message) => message.Body),
      ['hello'],
    )
    await sqsCall(url, 'DeleteQueue', { QueueUrl })
    await assert.rejects(
      sqsCall(url, 'GetQueueUrl', { QueueName }),
      /HarnessError: SQS answered GetQueueUrl with 400: .*Exist/,
    )
  })
}

test('ElasticMQ without Java says so in one sentence', () => {
  assert.equal(
    failureOf({ name: 'startElasticMq' }, {}),
    'HarnessError: Java is needed to run ElasticMQ and `java` was not found: install a Java 17 or newer runtime.\n',
  )
})

if (process.env['TRIBUTARY_TEST_LONG'] === '1') {
  test('versitygw answers, and refuses a request without a signature', async () => {
    const server = await startVersityGw()
    assert.equal((await fetch(`${server.url}/bucket/key`)).status, 403)
    await server.stop()
  })
}
