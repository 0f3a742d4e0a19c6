import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createServer } from 'node:tls'
import { type Certificates, makeCertificates, sharedSchemaRegistry, temporaryFolder } from '@tributary/harness'
import { createRegistryClient, type RegistryClient } from '@tributary/schema-registry'
import { startConnectProxy } from '../../support/connect-proxy.ts'

const registryUrl = await sharedSchemaRegistry()
const { signal } = new AbortController()
const folder = temporaryFolder('registry')
const certificates = await makeCertificates(folder)
const clientStore = join(folder, 'client.store.pem')
await writeFile(
  clientStore,
  (await Promise.all([certificates.clientKey, certificates.clientCert].map((file) => readFile(file, 'utf8')))).join(''),
)

/** The registry behind TLS that wants a client's certificate. */
async function behindTls(t: TestContext, { ca, serverCert, serverKey }: Certificates): Promise<string> {
  const to = new URL(registryUrl)
  const [caText, cert, key] = await Promise.all([ca, serverCert, serverKey].map((file) => readFile(file)))
  const server = createServer({ ca: caText!, cert: cert!, key: key!, requestCert: true, rejectUnauthorized: true })
  const open = new Set<Socket>()
  server.on('secureConnection', (client) => {
    open.add(client)
    const upstream = connect(Number(to.port), to.hostname)
    upstream.on('error', () => client.destroy())
    client.on('error', () => upstream.destroy()).on('close', () => upstream.destroy())
    client.pipe(upstream).pipe(client)
  })
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    for (const client of open) client.destroy()
  })
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}${to.pathname}`
}

/** Registers a schema, and finds it in every way. */
async function works(client: RegistryClient): Promise<void> {
  const subject = `registry-${randomUUID()}`
  const schema = { format: 'AVRO', schema: '{"type":"string","x":1}' } as const
  const { id } = await client.register(subject, schema, { normalize: false }, signal)
  for (const found of [
    await client.register(subject, schema, { normalize: false }, signal),
    await client.lookUp(subject, schema, { normalize: false }, signal),
    await client.byId(id, signal),
    await client.latest(subject, signal),
    await client.version(subject, 1, signal),
  ]) {
    assert.deepEqual([found.id, found.format, found.references], [id, 'AVRO', []])
    assert.deepEqual(JSON.parse(found.schema), JSON.parse(schema.schema))
  }
  await assert.rejects(client.latest(`${subject}-none`, signal), { kind: 'data', code: 'SCHEMA_NOT_FOUND' })
  await assert.rejects(client.byId(2_000_000_000, signal), {
    kind: 'data',
    message: /^Failed to retrieve schema for id 2000000000: /,
  })
}

test('a real registry registers and finds schemas', async () => {
  await works(createRegistryClient({ 'schema.registry.url': registryUrl }))
})

test('the same over mutual TLS, with files and with PEM text, and through a proxy', async (t) => {
  const url = await behindTls(t, certificates)
  const proxy = await startConnectProxy(t)
  const files = {
    'schema.registry.url': url,
    'schema.registry.ssl.truststore.location': certificates.ca,
    'schema.registry.ssl.keystore.location': clientStore,
    'schema.registry.ssl.keystore.type': 'PEM',
  }
  await works(createRegistryClient(files))
  await works(createRegistryClient({ ...files, 'proxy.host': '127.0.0.1', 'proxy.port': String(proxy.port) }))
  assert.ok(proxy.asked.length > 0)
  const [ca, cert, key] = await Promise.all(
    [certificates.ca, certificates.clientCert, certificates.clientKey].map((file) => readFile(file, 'utf8')),
  )
  await works(
    createRegistryClient({
      'schema.registry.url': url,
      'schema.registry.ssl.truststore.certificates': ca!,
      'schema.registry.ssl.keystore.certificate.chain': cert!,
      'schema.registry.ssl.keystore.key': key!,
    }),
  )
})

test('a certificate that is not trusted, and files that are no PEM, are config errors', async (t) => {
  const url = await behindTls(t, certificates)
  const trusted = { 'schema.registry.url': url, 'schema.registry.ssl.truststore.location': certificates.ca }
  const jks = join(folder, 'store.jks')
  await writeFile(jks, Buffer.from('feedfeed00000002', 'hex'))
  const cases: readonly [settings: Readonly<Record<string, string>>, text: RegExp][] = [
    [{ 'schema.registry.url': url }, /is not trusted: .*see schema\.registry\.ssl\.truststore\.location/],
    [{ ...trusted, 'schema.registry.ssl.truststore.location': `${folder}/none` }, /cannot read .*none/],
    [{ ...trusted, 'schema.registry.ssl.truststore.location': jks }, /is a store of Java, which is not read/],
    [{ ...trusted, 'schema.registry.ssl.keystore.location': certificates.clientCert }, /has no PEM private key/],
  ]
  for (const [settings, message] of cases) {
    await assert.rejects(createRegistryClient(settings).byId(1, signal), { kind: 'config', message })
  }
})
