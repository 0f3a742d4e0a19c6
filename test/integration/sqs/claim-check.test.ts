import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { S3Client } from '@aws-sdk/client-s3'
import { systemClock } from '@tributary/async'
import { type S3Server, sharedMoto, startVersityGw } from '@tributary/harness'
import { openAws } from '../../../apps/sqs-ingest/src/aws/clients.ts'
import { awsSettings } from '../../../apps/sqs-ingest/src/aws/settings.ts'
import { createConverter } from '../../../apps/sqs-ingest/src/convert/converter.ts'
import { readSettings } from '../../../apps/sqs-ingest/src/settings/read.ts'
import { CLAIM_CHECK, DECOMPRESSING_CLAIM_CHECK, messageOf } from '../../../apps/sqs-ingest/test/messages.ts'

/** The keys of a connector that lead to a server. */
function keysOf(url: string, region: string, id: string, secret: string): Record<string, string> {
  return {
    'aws.endpoint.override': url,
    'aws.region': region,
    'aws.access.key.id': id,
    'aws.secret.access.key': secret,
  }
}

/** The claim checks on a server of S3 by others, with the client as the source makes it. `keys` lead to the server. */
function claimChecks(name: string, keys: () => Promise<Record<string, string>>): void {
  describe(`claim checks on ${name}`, () => {
    const bucket = `claims-${process.pid}`
    let props: Record<string, string>
    let s3: () => Promise<S3Client>
    let close: () => void
    before(async () => {
      props = { 'sqs.queue.url': 'http://127.0.0.1/1/q', 'kafka.topic': 't', ...(await keys()) }
      const aws = await openAws(awsSettings(readSettings(props)), { attributeNames: [], clock: systemClock })
      s3 = () => aws.s3()
      close = () => aws.sqs.close()
      const { CreateBucketCommand } = await import('@aws-sdk/client-s3')
      await (await s3()).send(new CreateBucketCommand({ Bucket: bucket }))
    })
    after(() => close())

    const put = async (key: string, body: string | Buffer): Promise<string | undefined> => {
      const { PutObjectCommand } = await import('@aws-sdk/client-s3')
      return (await (await s3()).send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }))).VersionId
    }
    const convert = async (config: Record<string, string>, body: string): Promise<unknown> => {
      const converter = createConverter(readSettings({ ...props, ...config }), { s3 })
      return (await converter.convert(messageOf(body), new AbortController().signal)).value
    }
    const check = { 'message.converter.class': CLAIM_CHECK }

    test('bring the object, by its address and by the pointer of the extended client', async () => {
      await put('a b/ö+%2F?.json', '{"n":12345678901234567890}')
      assert.equal(await convert(check, `s3://${bucket}/a b/ö+%2F?.json`), '{"n":12345678901234567890}')
      const pointer = { s3BucketName: bucket, s3Key: 'a b/ö+%2F?.json' }
      const body = JSON.stringify(['software.amazon.payloadoffloading.PayloadS3Pointer', pointer])
      assert.equal(await convert(check, body), '{"n":12345678901234567890}')
    })

    test('bring the version that is asked for', async () => {
      const { PutBucketVersioningCommand } = await import('@aws-sdk/client-s3')
      const versioned = { Bucket: bucket, VersioningConfiguration: { Status: 'Enabled' } } as const
      const on = await (await s3()).send(new PutBucketVersioningCommand(versioned)).then(() => true, () => false) // prettier-ignore
      if (!on) return
      const first = await put('versions', 'first')
      await put('versions', 'second')
      assert.equal(await convert(check, `s3://${bucket}/versions?versionId=${first}`), 'first')
      assert.equal(await convert(check, `s3://${bucket}/versions`), 'second')
      await assert.rejects(convert(check, `s3://${bucket}/versions?versionId=none`), { kind: 'data' })
    })

    test('inflate an object that is gzip', async () => {
      await put('events.gz', gzipSync('{"a":1}'))
      const config = {
        'message.converter.class': DECOMPRESSING_CLAIM_CHECK,
        'message.decompression.field.path': 'detail.data',
      }
      const body = JSON.stringify({ detail: { data: `s3://${bucket}/events.gz` } })
      assert.equal(await convert(config, body), '{"detail":{"data":{"a":1}}}')
    })

    test('bring 8 MiB, and refuse one byte more than the limit', async () => {
      const large = 'x'.repeat(8 * 1024 * 1024)
      await put('large', large)
      const limit = (bytes: number) => ({ ...check, 'message.claimcheck.max.bytes': String(bytes) })
      assert.equal(await convert(limit(large.length), `s3://${bucket}/large`), large)
      await assert.rejects(convert(limit(large.length - 1), `s3://${bucket}/large`), {
        code: 'SQS_CLAIM_CHECK',
        kind: 'data',
        message:
          /^Claim check S3 retrieval failed: .* has 8388608 bytes; message\.claimcheck\.max\.bytes allows 8388607$/,
      })
    })

    test('are bad messages when object or bucket is gone', async () => {
      for (const address of [`s3://${bucket}/gone`, 's3://no-such-bucket-here/k', 's3://No_Bucket!/k']) {
        await assert.rejects(convert(check, address), { kind: 'data' }, address)
      }
    })
  })
}

claimChecks('moto', async () => {
  const { url, region } = await sharedMoto()
  return keysOf(url, region, 'test', 'test')
})

// Its first start takes minutes.
if (process.env['TRIBUTARY_TEST_LONG'] === '1') {
  let server: S3Server
  claimChecks('versitygw', async () => {
    server = await startVersityGw()
    return keysOf(server.url, server.region, server.accessKeyId, server.secretAccessKey)
  })
  after(() => server.stop())
}
