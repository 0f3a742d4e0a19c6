import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { deflateRawSync, gzipSync } from 'node:zlib'
import type { S3Client } from '@aws-sdk/client-s3'
import { CLAIM_CHECK, conversionOf, DECOMPRESSING_CLAIM_CHECK, messageOf } from '../../test/messages.ts'
import { S3Server } from '../../test/s3-server.ts'
import { createConverter } from './converter.ts'

type Config = Readonly<Record<string, string>>
const NEVER = new AbortController().signal
const JSON_TEXT = '{"id":12345678901234567890,"price":250.00,"2":"b","1":"a","ö":"\u00e9"}'
const base64 = (data: Buffer): string => data.toString('base64')
/** Converts at once and without S3: the test fails if a promise comes. */
function textOf(config: Config, body: string): unknown {
  const s3 = (): Promise<S3Client> => Promise.reject(new Error('S3 must not be asked'))
  const converted = createConverter(conversionOf(config), { s3 }).convert(messageOf(body), NEVER)
  assert.ok(!(converted instanceof Promise), 'the converter waits for something')
  return converted.value
}

describe('claim checks', () => {
  const server = new S3Server()
  let client: S3Client
  before(async () => {
    client = await server.start()
  })
  after(() => {
    client.destroy()
    server.stop()
  })
  const put = (name: string, body: Buffer | string, more = {}): void => void server.objects.set(name, { body, ...more })
  const convert = async (config: Config, body: string): Promise<unknown> =>
    (await createConverter(conversionOf(config), { s3: () => Promise.resolve(client) }).convert(messageOf(body), NEVER))
      .value
  const check = { 'message.converter.class': CLAIM_CHECK }

  test('are redeemed for the object', async () => {
    put('bucket/a/b c?.json', JSON_TEXT)
    put('bucket/v?versionId=V.1', 'version')
    const pointer = { s3BucketName: 'bucket', s3Key: 'a/b c?.json' }
    for (const body of [
      's3://bucket/a/b c?.json',
      ' s3://bucket/a/b c?.json\n',
      '"s3://bucket/a/b c?.json"',
      JSON.stringify(['software.amazon.payloadoffloading.PayloadS3Pointer', pointer]),
      JSON.stringify(['com.amazon.sqs.javamessaging.MessageS3Pointer', pointer], null, 1),
    ]) {
      assert.equal(await convert(check, body), JSON_TEXT, body)
    }
    assert.equal(await convert(check, 's3://bucket/v?versionId=V.1'), 'version')
  })

  test('pass a body that names no object, without asking S3', () => {
    for (const body of ['', 'text', '{"a":"s3://b/k"}', '["other",{"s3BucketName":"b","s3Key":"k"}]', 'S3://b/k']) {
      assert.equal(textOf(check, body), body)
    }
  })

  test('are put back as text, at several paths', async () => {
    put('b/1', '{"a":1}')
    put('b/2', 'two')
    const config = { ...check, 'message.claimcheck.field.path': 's3Uri, body.location' }
    assert.equal(
      await convert(config, '{"s3Uri":"s3://b/1","n":1.0,"body":{"location":"s3://b/2"}}'),
      '{"s3Uri":"{\\"a\\":1}","n":1.0,"body":{"location":"two"}}',
    )
    assert.equal(await convert(config, '{"body":{"location":"s3://b/2"}}'), '{"body":{"location":"two"}}')
    assert.equal(textOf(config, '{"s3Uri": 7}'), '{"s3Uri": 7}')
  })

  test('keep the bytes of an object until it is decompressed, also in Base64', async () => {
    const gz = gzipSync(JSON_TEXT)
    put('b/raw.gz', gz)
    put('b/base64', base64(gz))
    put('b/plain', 'plain')
    const config = { ...check, 'message.claimcheck.decompress.enabled': 'true' }
    for (const format of ['AUTO', 'GZIP']) {
      const of = { ...config, 'message.claimcheck.compression.format': format }
      assert.equal(await convert(of, 's3://b/raw.gz'), JSON_TEXT)
      assert.equal(await convert(of, 's3://b/base64'), JSON_TEXT)
    }
    assert.equal(await convert(config, 's3://b/plain'), 'plain')
    assert.deepEqual(await convert(check, 's3://b/raw.gz'), gz)
    put('b/deflate', deflateRawSync(JSON_TEXT))
    const raw = {
      ...config,
      'message.claimcheck.compression.format': 'DEFLATE',
      'message.claimcheck.base64.decode': 'false',
    }
    assert.equal(await convert(raw, 's3://b/deflate'), JSON_TEXT)
    assert.equal(
      await convert({ ...config, 'message.claimcheck.compression.format': 'DEFLATE' }, 's3://b/deflate'),
      JSON_TEXT,
    )
  })

  test('and decompression together take the object or the data', async () => {
    put('b/big.gz', gzipSync(JSON_TEXT))
    put('b/text', 'text')
    const config = { 'message.converter.class': DECOMPRESSING_CLAIM_CHECK }
    const path = { ...config, 'message.decompression.field.path': 'detail.data' }
    const data = (text: string): string => JSON.stringify({ detail: { data: text } })
    assert.equal(await convert(path, data('s3://b/big.gz')), `{"detail":{"data":${JSON_TEXT}}}`)
    assert.equal(await convert(path, data(base64(gzipSync('s3://b/text')))), '{"detail":{"data":"text"}}')
    assert.equal(await convert(path, data(base64(gzipSync('s3://b/big.gz')))), `{"detail":{"data":${JSON_TEXT}}}`)
    assert.equal(textOf(path, data(base64(gzipSync(JSON_TEXT)))), `{"detail":{"data":${JSON_TEXT}}}`)
    assert.equal(
      textOf({ ...config, 'message.claimcheck.field.path': 'detail.data' }, data(base64(gzipSync('x')))),
      data('x'),
    )
    assert.equal(await convert(config, 's3://b/big.gz'), JSON_TEXT)
    assert.equal(textOf({ ...config, 'message.decompression.format': 'GZIP' }, '{"a": 1}'), '{"a": 1}')
  })

  test('in envelopes, with envelopes in the object', async () => {
    const sns = (text: string): string => JSON.stringify({ Type: 'Notification', TopicArn: 'arn', Message: text })
    put('b/event', JSON.stringify({ 'detail-type': 'x', source: 'y', detail: JSON.parse(sns('"deep"')) as object }))
    const config = { ...check, 'message.unwrap.envelopes': 'sns,eventbridge' }
    assert.equal(await convert(config, sns('s3://b/event')), '"deep"')
    const pointer = JSON.stringify([
      'software.amazon.payloadoffloading.PayloadS3Pointer',
      { s3BucketName: 'b', s3Key: 'event' },
    ])
    assert.equal(await convert(config, sns(pointer)), '"deep"')
  })

  test('stop a bomb in an object', async () => {
    put('b/bomb', gzipSync(Buffer.alloc(300_000_000)))
    const config = { ...check, 'message.claimcheck.decompress.enabled': 'true' }
    await assert.rejects(convert(config, 's3://b/bomb'), {
      code: 'SQS_DECOMPRESS',
      kind: 'data',
      message: 'Claim check S3 retrieval failed: the result has more than 16777216 bytes',
    })
  })

  for (const [name, address] of [
    ['no key', 's3://bucket'],
    ['a slash only', 's3://bucket/'],
    ['no bucket', 's3:///key'],
  ] as const) {
    test(`refuse an address with ${name}`, () => {
      const message = `Claim check S3 retrieval failed: Invalid S3 URI format: ${address}. Expected format: s3://bucket/key`
      assert.throws(() => textOf(check, address), { code: 'SQS_CLAIM_CHECK', kind: 'data', message })
    })
  }

  test('refuse a pointer of the extended client without a key', () => {
    const body = '["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"b"}]'
    assert.throws(() => textOf(check, body), { code: 'SQS_CLAIM_CHECK', message: /no s3BucketName or no s3Key/ })
  })

  test('say which converter failed, and which object is gone', async () => {
    const gone = { code: 'SQS_OBJECT', kind: 'data' }
    await assert.rejects(convert(check, 's3://b/gone'), {
      ...gone,
      message: /^Claim check S3 retrieval failed: .*s3:\/\/b\/gone/,
    })
    const both = { 'message.converter.class': DECOMPRESSING_CLAIM_CHECK }
    await assert.rejects(convert(both, 's3://b/gone'), {
      ...gone,
      message: /^Decompressing claim check processing failed: /,
    })
  })
})
