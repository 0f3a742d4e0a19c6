import assert from 'node:assert/strict'
import { test } from 'node:test'
import { temporaryFolder } from '@tributary/harness'
import { placesFrom } from './places.ts'
import { provideSqs } from './sqs.ts'

const places = placesFrom({ TRIBUTARY_DATA_DIR: temporaryFolder('sqs') })

test('without Java the demo leaves SQS out, and says so', async (t) => {
  const { PATH } = process.env
  t.after(() => (process.env['PATH'] = PATH))
  process.env['PATH'] = temporaryFolder('no-java')
  const said: string[] = []
  assert.equal(await provideSqs(places, (line) => said.push(line)), null)
  assert.deepEqual(said, [
    'The demo leaves SQS out. Java is needed to run ElasticMQ and `java` was not found: install a Java 17 or newer runtime.',
  ])
})

test('an endpoint in the environment is used with the credentials of the environment', async (t) => {
  t.after(() => delete process.env['TRIBUTARY_DEMO_SQS_ENDPOINT'])
  process.env['TRIBUTARY_DEMO_SQS_ENDPOINT'] = 'http://localhost:4566/'
  const sqs = await provideSqs(places, assert.fail)
  assert.equal(sqs?.endpoint, 'http://localhost:4566')
  assert.equal(sqs.queue, 'http://localhost:4566/000000000000/tributary-demo')
  assert.equal(sqs.keys, null)
})
