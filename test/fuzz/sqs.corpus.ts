import { deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'

/** Filter policies of Amazon SNS with every operator. */
export const policies: readonly unknown[] = [
  { type: ['order', 'pay'] },
  { type: [{ prefix: 'or' }, { suffix: 'er' }], price: [{ numeric: ['>=', 0, '<', 100] }] },
  { type: [{ 'anything-but': ['order', 1] }], price: [100, 1.5] },
  { type: [{ 'anything-but': { prefix: ['o', 'p'] } }, { exists: false }] },
  { type: [{ 'anything-but': { wildcard: '*d*r' } }], tags: [true, null, false] },
  {
    type: [{ wildcard: 'o*d*r' }, { 'equals-ignore-case': 'ORDER' }],
    ip: [{ cidr: '10.0.0.0/24' }, { cidr: '2001:db8::/32' }],
  },
  {
    $or: [{ type: ['order'] }, { price: [{ numeric: ['=', 1] }], $or: [{ tags: ['a'] }, { ip: [{ exists: true }] }] }],
  },
]

export const policiesOnBodies: readonly unknown[] = [
  { detail: { type: ['order'], price: [{ numeric: ['<', 5] }] } },
  { 'detail.type': [{ prefix: 'o' }] },
  { Records: { s3: { key: [{ suffix: '.gz' }] }, name: ['put'] } },
  { $or: [{ detail: { type: ['x'] } }, { detail: { price: [{ exists: true }] } }] },
]

const document = { id: 1, detail: { type: 'order', price: 1.5, data: 'text', s3: 's3://b/object' }, tags: ['a', 'b'] }
const base64 = (data: Buffer): string => data.toString('base64')
const compressed = base64(gzipSync(JSON.stringify(document)))

/** Bodies: documents, envelopes, claim checks and compressed data. */
export const bodies: readonly string[] = [
  'text',
  JSON.stringify(document),
  '{ "a b" : [1, 2.50, {"10":1,"9":"\\u00e9\\"}"}], "n":12345678901234567890, "detail":{"data":"x\\\\"} }',
  compressed,
  JSON.stringify({ detail: { data: compressed } }),
  JSON.stringify({ detail: { data: 's3://b/object.gz' } }),
  's3://b/object',
  's3://b/object.gz?versionId=1',
  '["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"b","s3Key":"object"}]',
  JSON.stringify({
    Type: 'Notification',
    TopicArn: 'arn',
    Message: compressed,
    MessageAttributes: { type: { Type: 'String', Value: 'order' } },
  }),
  JSON.stringify({ 'detail-type': 'Order', source: 'shop', detail: { data: compressed, type: 'order' } }),
  JSON.stringify({
    Records: [
      { name: 'put', s3: { key: 'a.gz' } },
      { name: 'get', s3: [{ key: 'b' }] },
    ],
  }),
]

export const plain = Buffer.from(JSON.stringify(document).repeat(3))

export const streams = {
  GZIP: gzipSync(plain),
  ZLIB: deflateSync(plain),
  DEFLATE: deflateRawSync(plain),
  ZSTD: Buffer.concat([zstdCompressSync(plain.subarray(0, 100)), zstdCompressSync(plain.subarray(100))]),
} as const

const CONVERTER = 'io.connect.sqs.converter.'

/** Settings of the conversion. */
export const conversions: readonly Readonly<Record<string, string>>[] = [
  {},
  { 'message.converter.class': `${CONVERTER}DecompressingMessageConverter` },
  {
    'message.converter.class': `${CONVERTER}DecompressingMessageConverter`,
    'message.decompression.field.path': 'detail.data',
  },
  { 'message.converter.class': `${CONVERTER}DecompressingMessageConverter`, 'message.decompression.format': 'GZIP' },
  {
    'message.converter.class': `${CONVERTER}ClaimCheckMessageConverter`,
    'message.claimcheck.decompress.enabled': 'true',
  },
  {
    'message.converter.class': `${CONVERTER}ClaimCheckMessageConverter`,
    'message.claimcheck.field.path': 'detail.data,detail.s3',
  },
  {
    'message.converter.class': `${CONVERTER}DecompressingClaimCheckMessageConverter`,
    'message.decompression.field.path': 'detail.data',
    'message.output.field.extract': 'detail.data',
  },
  { 'message.unwrap.envelopes': 'sns,eventbridge', 'message.output.field.extract': 'detail.type' },
  { 'message.unwrap.envelopes': 'sns', 'message.converter.class': `${CONVERTER}DecompressingMessageConverter` },
]
