import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { DeniedNetworks, denyNetworks } from '@tributary/connect-api'
import { readSettings } from '../settings/read.ts'
import { credentialSource } from './credentials.ts'
import { connections } from './http.ts'
import { awsSettings } from './settings.ts'

const EXPIRATION = '2096-01-01T00:00:00Z'
const ROLE = 'arn:aws:iam::123456789012:role/pods'

/** What a container, an instance and STS answer, behind the SDK as it is. */
function answer(method: string, path: string, body: string, authorization: string | undefined): string | null {
  const credentials = (id: string): string =>
    JSON.stringify({ Code: 'Success', AccessKeyId: id, SecretAccessKey: 's', Token: 't', Expiration: EXPIRATION })
  if (path === '/container') return authorization === 'of-the-task' ? credentials('CONTAINER') : null
  if (path === '/latest/api/token') return method === 'PUT' ? 'session' : null
  if (path === '/latest/meta-data/iam/security-credentials/') return 'reader'
  if (path === '/latest/meta-data/iam/security-credentials/reader') return credentials('INSTANCE')
  if (body.includes('Action=AssumeRoleWithWebIdentity') && body.includes('WebIdentityToken=of-the-pod')) {
    return `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>POD</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>${EXPIRATION}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`
  }
  return null
}

describe('the chain of credentials', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sqs-chain-'))
  const environment = { ...process.env }
  let url = ''
  let asked = 0
  const server = createServer((request, response) => {
    asked++
    void request.toArray().then((chunks: Buffer[]) => {
      const text = answer(
        request.method!,
        request.url!,
        Buffer.concat(chunks).toString(),
        request.headers.authorization,
      )
      response.writeHead(text === null ? 403 : 200).end(text ?? '<Error><Code>AccessDenied</Code></Error>')
    })
  })
  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  beforeEach(() => {
    for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name]
    process.env['AWS_SHARED_CREDENTIALS_FILE'] = process.env['AWS_CONFIG_FILE'] = join(folder, 'none')
    process.env['AWS_EC2_METADATA_DISABLED'] = 'true'
  })
  after(() => {
    process.env = environment
    server.closeAllConnections()
    server.close()
    rmSync(folder, { recursive: true })
  })

  const get = async (props: Record<string, string> = {}) => {
    const settings = awsSettings(readSettings({ 'sqs.queue.url': 'q', 'kafka.topic': 't', ...props }))
    return (await credentialSource(settings, connections(settings)))()
  }

  test('a container gets those of its role', async () => {
    process.env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] = `${url}/container`
    process.env['AWS_CONTAINER_AUTHORIZATION_TOKEN'] = 'of-the-task'
    const { accessKeyId, expiration } = await get()
    assert.deepEqual([accessKeyId, expiration?.getUTCFullYear()], ['CONTAINER', 2096])
  })

  test('an instance gets those of its profile', async () => {
    delete process.env['AWS_EC2_METADATA_DISABLED']
    process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] = url
    assert.equal((await get()).accessKeyId, 'INSTANCE')
  })

  test('a server of credentials in a network that the worker denies is not asked', async (t) => {
    t.after(() => denyNetworks(null))
    const denied = { code: 'ADDRESS_DENIED', kind: 'config', message: /connect\.deny\.networks of the worker has/ }
    delete process.env['AWS_EC2_METADATA_DISABLED']
    denyNetworks(new DeniedNetworks(['metadata']))
    await assert.rejects(get(), { ...denied, message: /^169\.254\.169\.254 is an address/ })
    process.env['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'] = '/container'
    await assert.rejects(get(), { ...denied, message: /^169\.254\.170\.2 is an address/ })
    delete process.env['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI']

    denyNetworks(new DeniedNetworks(['loopback']))
    process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] = url
    const before = asked
    await assert.rejects(get(), denied)
    process.env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] = `${url}/container`
    await assert.rejects(get(), denied)
    delete process.env['AWS_CONTAINER_CREDENTIALS_FULL_URI']
    const file = join(folder, 'source')
    writeFileSync(file, `[p]\nrole_arn = ${ROLE}\ncredential_source = Ec2InstanceMetadata\n`)
    const profile = { 'aws.credentials.profile': 'p', 'aws.credentials.file.path': file }
    await assert.rejects(get(profile), { ...denied, field: 'aws.credentials.profile' })
    assert.equal(asked, before)

    // What needs no server is found as before.
    process.env['AWS_ACCESS_KEY_ID'] = 'ENVIRONMENT'
    process.env['AWS_SECRET_ACCESS_KEY'] = 's'
    assert.equal((await get()).accessKeyId, 'ENVIRONMENT')
  })

  test('a web identity is exchanged at the endpoint of STS, and its token is read again', async () => {
    const file = join(folder, 'token')
    process.env['AWS_WEB_IDENTITY_TOKEN_FILE'] = file
    process.env['AWS_ROLE_ARN'] = ROLE
    writeFileSync(file, 'expired')
    process.env['AWS_ENDPOINT_URL_STS'] = url
    await assert.rejects(get(), {
      code: 'SQS_DENIED',
      message: /^Failed to get credentials: .*grant sts:AssumeRoleWithWebIdentity/,
    })
    writeFileSync(file, 'of-the-pod')
    assert.equal((await get()).accessKeyId, 'POD')
  })

  test("a configuration cannot choose which server gets the host's web identity, or that of a profile", async (t) => {
    const file = join(folder, 'token')
    writeFileSync(file, 'of-the-pod')
    writeFileSync(join(folder, 'identity'), `[p]\nrole_arn = ${ROLE}\nweb_identity_token_file = ${file}\n`)
    process.env['AWS_WEB_IDENTITY_TOKEN_FILE'] = file
    process.env['AWS_ROLE_ARN'] = ROLE
    process.env['AWS_ENDPOINT_URL_STS'] = url
    const received: string[] = []
    const chosen = createServer((request, response) => {
      void request.toArray().then((chunks: Buffer[]) => received.push(Buffer.concat(chunks).toString()))
      response.writeHead(403).end()
    })
    await new Promise<void>((resolve) => chosen.listen(0, '127.0.0.1', resolve))
    t.after(() => (chosen.closeAllConnections(), chosen.close()))
    const endpoint = `http://127.0.0.1:${(chosen.address() as AddressInfo).port}`
    for (const props of [
      {},
      { 'aws.credentials.profile': 'p', 'aws.credentials.file.path': join(folder, 'identity') },
    ]) {
      const { accessKeyId } = await get({ 'aws.sts.endpoint.override': endpoint, ...props })
      assert.equal(accessKeyId, 'POD')
    }
    assert.deepEqual(received, [])
  })

  test('nothing at all is told in words', async () => {
    await assert.rejects(get(), {
      code: 'SQS_CREDENTIALS',
      message: /Unable to load credentials: .*give the host a role/,
    })
  })

  test('a profile that is not there is told on its key', async () => {
    await assert.rejects(get({ 'aws.credentials.profile': 'production' }), {
      code: 'SQS_CREDENTIALS',
      field: 'aws.credentials.profile',
      message: /^Failed to get credentials of profile production: Unable to load credentials/,
    })
  })
})
