import assert from 'node:assert/strict'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { after, describe, mock, test, type TestContext } from 'node:test'
import { systemClock } from '@tributary/async'
import { readSettings } from '../settings/read.ts'
import type { Queue } from '../message.ts'
import { openAws } from './clients.ts'
import { type AwsSettings, awsSettings, location } from './settings.ts'

/** One request to the server: the access key that signed it, and its body. */
interface Asked {
  readonly key: string
  readonly body: string
}

type Answer = { readonly status?: number; readonly body: string }

/** A server of HTTP that answers as `answer` says, behind the SDK as it is. `sockets`: connections that were opened. */
async function startServer(t: TestContext, answer: (asked: Asked) => Answer | null | Promise<Answer>) {
  const state = { url: '', sockets: 0, asked: [] as Asked[] }
  const server = createServer((request, response) => {
    void bodyOf(request).then(async (body) => {
      const key = /Credential=([^/]+)/.exec(request.headers.authorization ?? '')?.[1] ?? ''
      state.asked.push({ key, body })
      const answered = await answer({ key, body })
      if (answered !== null) response.writeHead(answered.status ?? 200).end(answered.body)
    })
  })
  server.on('connection', () => state.sockets++)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => (server.closeAllConnections(), server.close()))
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return state
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

const NOTHING: Answer = { body: '{}' }
const EXPIRED: Answer = {
  status: 403,
  body: '{"__type":"com.amazon.coral.service#ExpiredTokenException","message":"The security token included in the request is expired"}',
}
const STATIC = { 'aws.access.key.id': 'STATIC', 'aws.secret.access.key': 's' }
const request = { maxMessages: 1, waitSeconds: 0, visibilitySeconds: 30 }
const signal = AbortSignal.timeout(60_000)

/** What no error may show: the body of a server that no connector should ask. */
const SECRET = 'ASIAHIDDEN'

async function open(props: Record<string, string>, changes: Partial<AwsSettings> = {}) {
  const settings = awsSettings(readSettings({ 'sqs.queue.url': 'q', 'kafka.topic': 't', ...props }))
  const { sqs } = await openAws({ ...settings, ...changes }, { attributeNames: [], clock: systemClock })
  const queue: Queue = { url: `${settings.endpoints.sqs}/1/orders`, name: 'orders', fifo: false }
  return { sqs, queue }
}

describe('the clients of AWS', () => {
  test('a profile whose token has expired is read again, once', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'sqs-clients-'))
    after(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'credentials')
    const write = (id: string): void => writeFileSync(file, `[p]\naws_access_key_id=${id}\naws_secret_access_key=s\n`)
    const server = await startServer(t, ({ key }) => (key === 'NEW' ? NOTHING : EXPIRED))
    const profile = { 'aws.credentials.profile': 'p', 'aws.credentials.file.path': file }
    const { sqs, queue } = await open({ ...profile, 'aws.endpoint.override': server.url })
    write('OLD')
    await assert.rejects(sqs.receive(queue, request, signal), { code: 'SQS_CREDENTIALS' })
    write('NEW')
    assert.deepEqual(await sqs.receive(queue, request, signal), [])
    assert.deepEqual(server.asked.map(({ key }) => key), ['OLD', 'OLD', 'OLD', 'NEW']) // prettier-ignore
    sqs.close()
  })

  test('a static key that has expired is an error at once', async (t) => {
    const server = await startServer(t, () => EXPIRED)
    const { sqs, queue } = await open({ ...STATIC, 'aws.endpoint.override': server.url })
    await assert.rejects(sqs.receive(queue, request, signal), {
      code: 'SQS_CREDENTIALS',
      kind: 'config',
      message: /^Failed to receive messages from SQS queue orders: ExpiredTokenException: .*nothing renews them/,
    })
    assert.equal(server.asked.length, 1)
    sqs.close()
  })

  test('a role is assumed at the endpoint of STS, with its external id, and its credentials sign the requests to SQS', async (t) => {
    const expiration = new Date(Date.now() + 3_600_000).toISOString()
    const sts = await startServer(t, () => ({
      body: `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>${expiration}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
    }))
    const server = await startServer(t, () => NOTHING)
    const { sqs, queue } = await open({
      ...STATIC,
      'aws.endpoint.override': server.url,
      'aws.sts.endpoint.override': sts.url,
      'aws.assume.role.arn': 'arn:aws:iam::123456789012:role/reader',
      'aws.sts.role.external.id': 'of-the-partner',
    })
    await Promise.all([sqs.receive(queue, request, signal), sqs.receive(queue, request, signal)])
    assert.deepEqual([sts.asked.length, sts.asked[0]!.key], [1, 'STATIC'])
    assert.match(sts.asked[0]!.body, /RoleSessionName=kafka-connect-sqs.*ExternalId=of-the-partner/)
    assert.deepEqual(server.asked.map(({ key }) => key), ['ROLE', 'ROLE']) // prettier-ignore
    sqs.close()
  })

  test('connections are kept, and no more are opened than allowed', async (t) => {
    const server = await startServer(t, () => NOTHING)
    const { sqs, queue } = await open({
      ...STATIC,
      'aws.endpoint.override': server.url,
      'aws.http.max.connections': '2',
    })
    for (let i = 0; i < 5; i++) await sqs.deleteBatch(queue, ['h'], signal)
    assert.equal(server.sockets, 1)
    await Promise.all(Array.from({ length: 20 }, () => sqs.deleteBatch(queue, ['h'], signal)))
    assert.equal(server.sockets, 2)
    for (let i = 0; i < 5; i++) await sqs.receive(queue, request, signal)
    assert.equal(server.sockets, 3, 'receives have their own')
    sqs.close()
  })

  test('a server that does not answer is an outage, and an aborted request ends with the reason of its signal', async (t) => {
    process.env['AWS_MAX_ATTEMPTS'] = '1'
    t.after(() => delete process.env['AWS_MAX_ATTEMPTS'])
    const server = await startServer(t, () => null)
    const { sqs, queue } = await open({ ...STATIC, 'aws.endpoint.override': server.url }, { requestTimeoutMs: 900 })
    await assert.rejects(sqs.receive(queue, request, signal), {
      kind: 'retriable',
      message: /Connection timeout: .*requestTimeout/,
    })
    const stop = new AbortController()
    const received = sqs.receive(queue, { ...request, waitSeconds: 20 }, stop.signal)
    stop.abort(new Error('stopped'))
    await assert.rejects(received, /^Error: stopped$/)
    sqs.close()
  })

  test('the host of a queue URL is asked where no endpoint is set, and the SDK says nothing of it on the console', async (t) => {
    const warn = mock.method(console, 'warn', () => {})
    t.after(() => warn.mock.restore())
    const server = await startServer(t, () => NOTHING)
    const { sqs } = await open(STATIC)
    await sqs.receive({ url: `${server.url}/000000000000/orders`, name: 'orders', fifo: false }, request, signal)
    assert.deepEqual([server.asked.length, warn.mock.callCount()], [1, 0])
    sqs.close()
  })

  test('endpoints of SQS, S3 and STS, their style, and those of FIPS and IPv6', () => {
    const settings = (props: Record<string, string>) => awsSettings(readSettings({ 'sqs.queue.url': 'q', 'kafka.topic': 't', ...props })) // prettier-ignore
    const own = settings({ 'aws.endpoint.override': 'http://localhost:4566' })
    assert.deepEqual([own.endpoints, own.pathStyle], [{ sqs: 'http://localhost:4566', s3: 'http://localhost:4566', sts: null }, true]) // prettier-ignore
    const vpc = settings({ 'aws.s3.endpoint.override': 'https://bucket.vpce-1.s3.eu-west-1.vpce.amazonaws.com' })
    assert.deepEqual([vpc.endpoints.sqs, vpc.pathStyle], [null, false])
    const sqsVpc = settings({ 'aws.endpoint.override': 'https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com' })
    assert.equal(sqsVpc.endpoints.s3, null)
    assert.equal(settings({ 'aws.s3.path.style': 'true' }).pathStyle, true)
    const flags = settings({ 'aws.region': 'us-gov-west-1', 'aws.use.fips': 'true', 'aws.use.dualstack': 'true' })
    assert.deepEqual(location(flags, null), {
      region: 'us-gov-west-1',
      useFipsEndpoint: true,
      useDualstackEndpoint: true,
    })
    assert.deepEqual(location(own, own.endpoints.sqs), { region: 'us-east-1', endpoint: 'http://localhost:4566' })
  })
})

describe('an answer of another server than AWS', () => {
  for (const body of [
    SECRET,
    `{"Token":"${SECRET}"}`,
    `{"message":"${SECRET}"}`,
    `{"__type":"${SECRET}#1"}`,
    `{"code":"${SECRET.toLowerCase()}"}`,
    `<html><body>${SECRET}`,
    `<Error><Message>${SECRET}</Message></Error>`,
  ]) {
    test(`is in no error: ${body}`, async (t) => {
      process.env['AWS_MAX_ATTEMPTS'] = '1'
      t.after(() => delete process.env['AWS_MAX_ATTEMPTS'])
      for (const status of [200, 403, 404, 500]) {
        const server = await startServer(t, () => ({ status, body }))
        const { sqs } = await open({ ...STATIC, 'aws.endpoint.override': server.url })
        const role = await open({ ...STATIC, 'aws.endpoint.override': server.url, 'aws.sts.endpoint.override': server.url, 'aws.assume.role.arn': 'arn:aws:iam::123456789012:role/r' }) // prettier-ignore
        for (const asked of [sqs, role.sqs]) {
          const error: unknown = await asked.queueUrl('q', signal).catch((e: unknown) => e)
          assert.doesNotMatch(inspect(error, { depth: 9 }), new RegExp(SECRET, 'i'))
        }
        sqs.close()
        role.sqs.close()
      }
    })
  }
})
