import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { ServerCredentials } from '@grpc/grpc-js'
import type { Props } from '@tributary/connect-api'
import { grpcSource, grpcSpec } from '@tributary/grpc-ingest'
import { tickerProps } from '../../support/grpc-task.ts'
import { fixture, startTicker, type Ticker } from '../../support/grpc-ticker.ts'

const validate = (props: Props) => grpcSource.connector.validate!(props, new AbortController().signal)
const REFLECTED = { 'grpc.proto.descriptor': '' }
const TLS = { 'grpc.tls.enabled': 'true', 'grpc.tls.ca.cert': fixture('tls/ca.crt') }
const RESUME = { 'grpc.resume.field': 'sequence', 'grpc.resume.request.field': 'from.sequence' }

describe('validation of a gRPC source', () => {
  let reflecting: Ticker
  let plain: Ticker
  let secure: Ticker
  let folder: string

  before(async () => {
    const watch = (): void => {}
    const pair = {
      private_key: readFileSync(fixture('tls/server.key')),
      cert_chain: readFileSync(fixture('tls/server.crt')),
    }
    reflecting = await startTicker({ watch, reflection: 'v1' })
    plain = await startTicker({ watch })
    secure = await startTicker({ watch, reflection: 'v1', credentials: ServerCredentials.createSsl(null, [pair]) })
    folder = await mkdtemp(join(tmpdir(), 'grpc-validate-'))
    await writeFile(join(folder, 'no-pem'), 'no certificate')
  })
  after(async () => {
    for (const ticker of [reflecting, plain, secure]) ticker.stop()
    await rm(folder, { recursive: true })
  })

  const accepts = (title: string, props: () => Props): void => {
    test(`accepts ${title}`, async () => assert.deepEqual(await validate(props()), []))
  }
  const rejects = (title: string, props: () => Props, field: string, message: RegExp): void => {
    test(`rejects ${title}`, async () => {
      const errors = await validate(props())
      assert.deepEqual(
        errors.map((e) => e.field),
        [field],
      )
      assert.match(errors[0]!.message, message)
    })
  }

  accepts('a descriptor, without asking the server', () => tickerProps(1))
  accepts('message types from reflection', () => tickerProps(reflecting.port, REFLECTED))
  accepts('reflection over TLS', () => tickerProps(secure.port, { ...REFLECTED, ...TLS }))
  accepts('a server that is away: the task will wait for it', () => tickerProps(1, REFLECTED))
  accepts('raw bytes from a server without reflection', () =>
    tickerProps(plain.port, { ...REFLECTED, 'grpc.value.format': 'bytes' }),
  )
  accepts('resuming', () => tickerProps(1, { ...RESUME, 'grpc.resume.request.next': 'true' }))

  rejects(
    'a server without reflection',
    () => tickerProps(plain.port, REFLECTED),
    'grpc.proto.descriptor',
    /no reflection/,
  )
  rejects(
    'a service that reflection does not know',
    () => tickerProps(reflecting.port, { ...REFLECTED, 'grpc.service.name': 'ticker.v2.Ticker' }),
    'grpc.service.name',
    /ticker\.v2\.Ticker.*It offers: ticker\.v1\.Ticker/,
  )
  rejects(
    'a service that is not in the descriptor',
    () => tickerProps(1, { 'grpc.service.name': 'ticker.v1.Stocks' }),
    'grpc.service.name',
    /Service not found in descriptor: ticker\.v1\.Stocks/,
  )
  rejects(
    'a method that the service does not have',
    () => tickerProps(1, { 'grpc.method.name': 'watch' }),
    'grpc.method.name',
    /Method not found in service: watch/,
  )
  for (const [method, kind] of [
    ['Get', 'unary'],
    ['Collect', 'client streaming'],
  ] as const) {
    rejects(
      `a method that is ${kind}`,
      () => tickerProps(1, { 'grpc.method.name': method }),
      'grpc.method.name',
      new RegExp(kind),
    )
  }
  rejects(
    'a descriptor that is neither file nor base64',
    () => tickerProps(1, { 'grpc.proto.descriptor': '/no/such file.desc' }),
    'grpc.proto.descriptor',
    /neither a valid file path nor base64/,
  )
  rejects(
    'a descriptor without its imports',
    () =>
      tickerProps(1, {
        'grpc.proto.descriptor': fixture('production-without-imports.desc'),
        'grpc.service.name': 'com.example.production.EventService',
        'grpc.method.name': 'StreamEvents',
      }),
    'grpc.proto.descriptor',
    /example\.proto|is not defined/,
  )
  rejects(
    'a request that does not fit the message',
    () => tickerProps(1, { 'grpc.request.message': '{"symbl":"ABC"}' }),
    'grpc.request.message',
    /Cannot find field: symbl/,
  )
  rejects(
    'a request that is no object',
    () => tickerProps(1, { 'grpc.request.message': '[]' }),
    'grpc.request.message',
    /Expect message object but got: \[\]/,
  )
  rejects('an unknown key field', () => tickerProps(1, { 'key.field': 'price.unit' }), 'key.field', /unit/)
  rejects('a timestamp that is none', () => tickerProps(1, { 'timestamp.field': 'blob' }), 'timestamp.field', /blob/)
  rejects(
    'an unknown resume field',
    () => tickerProps(1, { ...RESUME, 'grpc.resume.field': 'offset' }),
    'grpc.resume.field',
    /offset/,
  )
  rejects(
    'an unknown request field to resume with',
    () => tickerProps(1, { ...RESUME, 'grpc.resume.request.field': 'after' }),
    'grpc.resume.request.field',
    /after/,
  )
  rejects(
    'the next of a token',
    () =>
      tickerProps(1, {
        'grpc.resume.field': 'token',
        'grpc.resume.request.field': 'token',
        'grpc.resume.request.next': 'true',
      }),
    'grpc.resume.request.next',
    /no number/,
  )
  rejects('illegal metadata', () => tickerProps(1, { 'grpc.metadata': 'näme:v' }), 'grpc.metadata', /metadata name/)
  rejects(
    'binary metadata that is not base64',
    () => tickerProps(1, { 'grpc.metadata.x-key-bin': 'not base64!' }),
    'grpc.metadata.x-key-bin',
    /base64/,
  )
  rejects(
    'a CA file that cannot be read',
    () => tickerProps(1, { ...TLS, 'grpc.tls.ca.cert': '/no/such/ca.crt' }),
    'grpc.tls.ca.cert',
    /Cannot read TLS certificate/,
  )
  rejects(
    'a CA file without a certificate',
    () => tickerProps(1, { ...TLS, 'grpc.tls.ca.cert': join(folder, 'no-pem') }),
    'grpc.tls.ca.cert',
    /PEM certificate/,
  )
  rejects(
    "a key that is not the certificate's",
    () =>
      tickerProps(1, {
        ...TLS,
        'grpc.tls.client.cert': fixture('tls/client.crt'),
        'grpc.tls.client.key': fixture('tls/server.key'),
      }),
    'grpc.tls.client.key',
    /not the one of the certificate/,
  )
  rejects(
    'an encrypted key without its password',
    () =>
      tickerProps(1, {
        ...TLS,
        'grpc.tls.client.cert': fixture('tls/client.crt'),
        'grpc.tls.client.key': fixture('tls/client-encrypted.key'),
      }),
    'grpc.tls.client.key.password',
    /password is missing/,
  )
  rejects(
    'a server whose certificate is not trusted',
    () => tickerProps(secure.port, { ...REFLECTED, ...TLS, 'grpc.tls.ca.cert': fixture('tls/other-ca.crt') }),
    'grpc.tls.ca.cert',
    /certificate/,
  )

  test('reports all errors at once', async () => {
    const errors = await validate(
      tickerProps(1, {
        'key.field': 'a',
        'timestamp.field': 'b',
        'grpc.resume.field': 'c',
        'grpc.request.message': '{"d":1}',
      }),
    )
    assert.deepEqual(errors.map((e) => e.field).sort(), [
      'grpc.request.message',
      'grpc.resume.field',
      'key.field',
      'timestamp.field',
    ])
  })

  test('finds half a key pair by the declared rules, before any code runs', () => {
    const half = tickerProps(1, { ...TLS, 'grpc.tls.client.cert': fixture('tls/client.crt') })
    const { values } = grpcSpec.validate(half)
    const wrong = values.filter((value) => value.errors.length > 0)
    assert.deepEqual(
      wrong.map((value) => value.name),
      ['grpc.tls.client.cert'],
    )
    assert.match(wrong[0]!.errors[0]!, /set grpc\.tls\.client\.key too/)
  })
})
