import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { CLAIM_CHECK, conversionOf, DECOMPRESSING, messageOf } from '../../test/messages.ts'
import type { Converted } from './content.ts'
import { createConverter, type MessageConverter } from './converter.ts'
import type { S3Client } from '@aws-sdk/client-s3'
import { type DataError, errorCode } from '@tributary/connect-api'

type Config = Readonly<Record<string, string>>
const NEVER = new AbortController().signal
const noS3 = (): Promise<S3Client> => Promise.reject(new Error('S3 must not be asked'))

const converter = (config: Config, s3 = noS3): MessageConverter => createConverter(conversionOf(config), { s3 })
/** Converts at once: the test fails if a promise comes. */
function now(config: Config, body: string): Converted {
  const converted = converter(config).convert(messageOf(body), NEVER)
  assert.ok(!(converted instanceof Promise), 'the converter waits for something')
  return converted
}
const textOf = (config: Config, body: string): unknown => now(config, body).value
const base64 = (data: Buffer): string => data.toString('base64')

const JSON_TEXT = '{"id":12345678901234567890,"price":250.00,"2":"b","1":"a","ö":"\\u00e9"}'
const whole = { 'message.converter.class': DECOMPRESSING }
const field = { ...whole, 'message.decompression.field.path': 'detail.data' }

describe('the default converter', () => {
  test('passes the body as it is', () => assert.equal(textOf({}, 'any text'), 'any text'))

  for (const [name, message] of [
    [
      'io.connect.sqs.converter.NoSuchConverter',
      /there is no such message converter; there are io\.connect\.sqs\.converter\.Default/,
    ],
    ['io.connect.sqs.converter.FieldExtractorConverter', /needs message\.output\.field\.extract/],
  ] as const) {
    test(`refuses ${name}`, () => {
      const refused = { code: 'SQS_CONVERTER', kind: 'config', message }
      assert.throws(() => converter({ 'message.converter.class': name }), {
        ...refused,
        field: 'message.converter.class',
      })
      const key = 'message.decompression.delegate.converter.class'
      assert.throws(() => converter({ ...whole, [key]: name }), { ...refused, field: key })
    })
  }

  test('refuses converters that delegate in a circle', () => {
    const config = {
      'message.converter.class': DECOMPRESSING,
      'message.decompression.delegate.converter.class': CLAIM_CHECK,
      'message.claimcheck.delegate.converter.class': DECOMPRESSING,
    }
    assert.throws(() => converter(config), { code: 'SQS_CONVERTER', message: /delegates in a circle/ })
  })
})

describe('the decompressing converter', () => {
  const formats = { GZIP: gzipSync, ZLIB: deflateSync, DEFLATE: deflateSync, ZSTD: zstdCompressSync } as const
  for (const [format, compress] of Object.entries(formats)) {
    test(`inflates ${format}, also found by AUTO`, () => {
      const body = base64(compress(JSON_TEXT))
      assert.equal(textOf({ ...whole, 'message.decompression.format': format.toLowerCase() }, body), JSON_TEXT)
      assert.equal(textOf(whole, body), JSON_TEXT)
    })
  }

  test('inflates deflate data without a wrapper', () => {
    assert.equal(
      textOf({ ...whole, 'message.decompression.format': 'DEFLATE' }, base64(deflateRawSync(JSON_TEXT))),
      JSON_TEXT,
    )
  })

  test('inflates all frames and members', () => {
    assert.equal(textOf(whole, base64(Buffer.concat([gzipSync('one '), gzipSync('two')]))), 'one two')
    assert.equal(textOf(whole, base64(Buffer.concat([zstdCompressSync('one '), zstdCompressSync('two')]))), 'one two')
  })

  test('reads Base64 with the URL-safe alphabet, line breaks, spaces around it and without padding', () => {
    const data = gzipSync(Buffer.from(Array.from({ length: 200 }, (_, i) => (i * 7) % 128)))
    const expected = textOf(whole, base64(data))
    assert.match(base64(data), /[+/]/)
    for (const body of [
      data.toString('base64url'),
      base64(data).replaceAll('+', '-').replaceAll('/', '_'),
      base64(data).replaceAll(/.{76}/g, '$&\r\n'),
      ` ${base64(data)}\n`,
      base64(data).replace(/=*$/, ''),
    ]) {
      assert.equal(textOf(whole, body), expected, body)
    }
  })

  test('with AUTO leaves what is not compressed', () => {
    for (const body of [
      '',
      'text',
      '{"a":1}',
      'x^2 + y^2 = z^2',
      base64(Buffer.from('a plain text of some length')),
      'abcdefghijklmnopqrst',
    ]) {
      assert.equal(textOf(whole, body), body)
    }
  })

  test('keeps bytes that are no UTF-8', () => {
    const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x80])
    assert.deepEqual(textOf(whole, base64(gzipSync(bytes))), bytes)
  })

  test('puts the field back as JSON, and keeps numbers, the order of keys and all else', () => {
    const body = `{ "b" : 1.50, "10":1,"9":2, "detail": {"data" : "${base64(gzipSync(JSON_TEXT))}", "n":12345678901234567890} , "data":"x"}`
    assert.equal(
      textOf(field, body),
      `{"b":1.50,"10":1,"9":2,"detail":{"data":${JSON_TEXT},"n":12345678901234567890},"data":"x"}`,
    )
  })

  test('puts the field back as a string if it is no JSON', () => {
    const body = JSON.stringify({ detail: { data: base64(gzipSync('no "JSON"\n')) } })
    assert.equal(textOf(field, body), '{"detail":{"data":"no \\"JSON\\"\\n"}}')
  })

  test('leaves a body without a text at the path exactly as it is', () => {
    for (const body of [
      '{"detail": {}}',
      '{ "detail":{"data":{"a":1}}}',
      '{"detail":[{"data":"x"}]}',
      '[1, 2]',
      '{"detail": {"data":"plain"}}',
    ]) {
      assert.equal(textOf(field, body), body)
    }
  })

  test('delegates', () => {
    const config = { ...whole, 'message.output.field.extract': '2' }
    assert.equal(textOf(config, base64(gzipSync(JSON_TEXT))), 'b')
  })

  const bad: [name: string, config: Config, body: string, code: string, message: RegExp][] = [
    [
      'no gzip',
      { ...whole, 'message.decompression.format': 'GZIP' },
      base64(Buffer.from('this is not gzip')),
      'SQS_DECOMPRESS',
      /^Message decompression failed: Decompression failed: Not in GZIP format: the data begins with the bytes 74686973$/,
    ],
    [
      'no Base64',
      { ...whole, 'message.decompression.format': 'GZIP' },
      '{"a":1}',
      'SQS_DECOMPRESS',
      /Not in GZIP format: the text is no Base64 of 16 characters or more$/,
    ],
    [
      'Base64 that is off',
      { ...whole, 'message.decompression.format': 'ZLIB', 'message.decompression.base64.decode': 'false' },
      base64(deflateSync('x')),
      'SQS_DECOMPRESS',
      /Not in ZLIB format: the text is not compressed, and Base64 is off/,
    ],
    [
      'gzip that is cut',
      whole,
      base64(gzipSync(JSON_TEXT).subarray(0, 40)),
      'SQS_DECOMPRESS',
      /the gzip data is damaged: unexpected end of file/,
    ],
    [
      'zstd that is cut',
      whole,
      base64(zstdCompressSync(JSON_TEXT).subarray(0, 40)),
      'SQS_DECOMPRESS',
      /the zstd data is damaged/,
    ],
    [
      'gzip with a wrong check sum',
      whole,
      base64(Buffer.concat([gzipSync(JSON_TEXT).subarray(0, -8), Buffer.alloc(8)])),
      'SQS_DECOMPRESS',
      /damaged: incorrect data check/,
    ],
    [
      'a body that is no JSON',
      field,
      'no JSON',
      'SQS_BODY',
      /^Message decompression failed: Decompression failed: the body is no JSON, which the field path detail\.data needs: /,
    ],
    ['JSON with text behind it', field, '{"detail":{}} tail', 'SQS_BODY', /the body is no JSON/],
    [
      'bytes for a field',
      field,
      JSON.stringify({ detail: { data: base64(gzipSync(Buffer.from([0xff, 0xfe]))) } }),
      'SQS_BODY',
      /the content for the field detail\.data is 2 bytes that are no UTF-8/,
    ],
  ]
  for (const [name, config, body, code, message] of bad) {
    test(`refuses ${name}`, () => assert.throws(() => now(config, body), { code, kind: 'data', message }))
  }

  for (const [name, compress] of [...Object.entries(formats), ['raw', deflateRawSync] as const]) {
    test(`stops a bomb of ${name}`, async () => {
      const format = name === 'raw' ? 'DEFLATE' : name
      const body = base64(compress(Buffer.alloc(64 * 1024 * 1024)))
      const config = { ...whole, 'message.decompression.format': format, 'message.decompression.max.bytes': '1000000' }
      const converting = async (): Promise<unknown> => await converter(config).convert(messageOf(body), NEVER)
      await assert.rejects(converting, (error: DataError) => {
        assert.match(error.message, /: the result has more than 1000000 bytes$/)
        // zlib itself stopped: the result was not made and measured then.
        assert.deepEqual([error.code, errorCode(error.cause)], ['SQS_DECOMPRESS', 'ERR_BUFFER_TOO_LARGE'])
        return true
      })
    })
  }

  test('inflates up to the limit, and not one byte more', () => {
    const config = { ...whole, 'message.decompression.max.bytes': '1000' }
    assert.equal((textOf(config, base64(gzipSync('x'.repeat(1000)))) as string).length, 1000)
    assert.throws(() => now(config, base64(gzipSync('x'.repeat(1001)))), /more than 1000 bytes/)
    const frames = (bytes: number) =>
      base64(Buffer.concat([zstdCompressSync('x'.repeat(900)), zstdCompressSync('x'.repeat(bytes))]))
    assert.equal((textOf(config, frames(100)) as string).length, 1000)
    assert.throws(() => now(config, frames(101)), /more than 1000 bytes/)
  })

  test('inflates what becomes large in a thread', async () => {
    for (const compress of Object.values(formats)) {
      const small = compress('x'.repeat(1024 * 1024))
      assert.equal((textOf(whole, base64(small)) as string).length, 1024 * 1024)
      const converting = converter(whole).convert(messageOf(base64(compress('x'.repeat(1024 * 1024 + 1)))), NEVER)
      assert.ok(converting instanceof Promise)
      assert.equal(((await converting).value as string).length, 1024 * 1024 + 1)
    }
  })

  test('refuses more frames of Zstandard than any compressor makes', () => {
    const body = base64(Buffer.concat(Array.from({ length: 1001 }, () => zstdCompressSync('a'))))
    assert.throws(() => now(whole, body), { code: 'SQS_DECOMPRESS', message: /more than 1000 frames/ })
  })
})

describe('the field extractor', () => {
  const extract = { 'message.output.field.extract': 'detail.data' }
  for (const [json, value] of [
    ['"text \\u00e9\\n"', 'text é\n'],
    ['{ "a" : 1.50, "10":1, "9":12345678901234567890 }', '{"a":1.50,"10":1,"9":12345678901234567890}'],
    ['[ 1, "a b" ]', '[1,"a b"]'],
    ['250.00', '250.00'],
    ['true', 'true'],
    ['null', 'null'],
    ['""', ''],
  ] as const) {
    test(`extracts ${json}`, () => assert.equal(textOf(extract, `{"detail":{"x":0,"data":${json}}}`), value))
  }

  test('takes the last of two fields with the same name, and names with escapes', () => {
    assert.equal(textOf(extract, '{"detail":{"data":"a"},"det\\u0061il":{"data":"b"}}'), 'b')
  })

  test('passes a message without the field, or says that it has none', () => {
    for (const body of ['{"detail":{}}', '{"detail":"x"}', '{"detail":[{"data":1}]}', 'no JSON', '']) {
      assert.equal(textOf(extract, body), body)
      assert.throws(() => now({ ...extract, 'message.output.field.extract.failOnMissing': 'true' }, body), {
        code: 'SQS_FIELD_MISSING',
        kind: 'data',
        message: "Field extraction failed: Field path 'detail.data' not found in message",
      })
    }
  })

  test('may be named as the converter', () => {
    const name = 'io.connect.sqs.converter.FieldExtractorConverter'
    assert.equal(textOf({ ...extract, 'message.converter.class': name }, '{"detail":{"data":"a"}}'), 'a')
  })
})

describe('envelopes', () => {
  const both = { 'message.unwrap.envelopes': 'eventbridge,sns' }
  const sns = (Message: string, more = {}): string =>
    JSON.stringify({ Type: 'Notification', MessageId: 'n', TopicArn: 'arn:aws:sns:us-east-1:1:t', Message, ...more })
  const event = (detail: string): string =>
    `{"version":"0","id":"e","detail-type":"Order","source":"shop","account":"1","region":"r","detail":${detail}}`

  test('of SNS and EventBridge, in any order, leave what they carry', () => {
    assert.equal(textOf(both, sns('plain')), 'plain')
    assert.equal(
      textOf(both, event('{ "n":12345678901234567890, "10":1,"9":2 }')),
      '{"n":12345678901234567890,"10":1,"9":2}',
    )
    assert.equal(textOf(both, sns(event('{"a":1}'))), '{"a":1}')
    assert.equal(textOf(both, event(sns('inner'))), 'inner')
    assert.equal(textOf(both, event(JSON.stringify(sns('inner')))), 'inner')
    assert.equal(textOf(both, sns(base64(gzipSync('x'.repeat(20))))), base64(gzipSync('x'.repeat(20))))
    assert.equal(textOf({ ...both, ...whole }, sns(base64(gzipSync(event('"inner"'))))), 'inner')
  })

  test('stay where they are not asked for, or are none', () => {
    assert.equal(textOf({ 'message.unwrap.envelopes': 'sns' }, event('{}')), event('{}'))
    assert.equal(textOf({ 'message.unwrap.envelopes': 'eventbridge' }, sns('x')), sns('x'))
    for (const body of [
      'text',
      '{"Type":"Notification"}',
      '{"detail":{}}',
      '{"Type":"Notification","Message":',
      '[]',
      '',
    ]) {
      assert.equal(textOf(both, body), body)
    }
  })

  test('of SNS bring the attributes of the message', () => {
    const attributes = { kind: { Type: 'String', Value: 'order' }, raw: { Type: 'Binary', Value: 'aGk=' }, bad: 7 }
    const body = sns('x', { MessageAttributes: attributes })
    const own = { dataType: 'String', stringValue: 'own' }
    const converted = converter(both).convert(messageOf(body, { attributes: { own } }), NEVER) as Converted
    assert.deepEqual(converted.attributes, {
      own,
      kind: { dataType: 'String', stringValue: 'order' },
      raw: { dataType: 'Binary', binaryValue: Buffer.from('hi') },
    })
  })

  test('deeper than the limit make a bad message', () => {
    let body = 'x'
    for (let depth = 0; depth < 8; depth++) body = sns(body)
    assert.equal(textOf(both, body), 'x')
    const message = 'The body has more than 8 envelopes within each other (message.unwrap.depth.max)'
    assert.throws(() => now(both, sns(body)), { code: 'SQS_BODY', kind: 'data', message })
  })
})
