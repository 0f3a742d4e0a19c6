import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sharedMoto } from '@tributary/harness'
import { credentialSource } from '../../../apps/sqs-ingest/src/aws/credentials.ts'
import { connections } from '../../../apps/sqs-ingest/src/aws/http.ts'
import { settingsFor, sqsPlace } from './places.ts'

test('a role is assumed at an STS of another make, and its credentials read a queue', async (t) => {
  const moto = await sharedMoto()
  const settings = settingsFor(moto, {
    'aws.assume.role.arn': 'arn:aws:iam::123456789012:role/reader',
    'aws.sts.role.external.id': 'of-the-partner',
    'aws.sts.endpoint.override': moto.url,
  })
  const http = connections(settings)
  t.after(() => http.close())
  const assumed = await (await credentialSource(settings, http))()
  // STS gives a temporary key; the static one would be `test`.
  assert.match(assumed.accessKeyId, /^ASIA/)
  assert.ok(assumed.sessionToken)
  assert.ok(assumed.expiration!.getTime() > Date.now())

  const place = await sqsPlace(moto, settings)
  t.after(() => place.close())
  const { signal } = new AbortController()
  const queue = await place.createQueue(`role-${process.pid}`)
  await place.send(queue, { body: 'read by a role' })
  const received = await place.api.receive(queue, { maxMessages: 1, waitSeconds: 1, visibilitySeconds: 30 }, signal)
  assert.deepEqual(
    received.map(({ body }) => body),
    ['read by a role'],
  )
  assert.deepEqual(await place.api.deleteBatch(queue, [received[0]!.receiptHandle], signal), [])
})
