import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { type Certificates, makeCertificates, temporaryFolder } from '@tributary/harness'
import {
  type AdminServer,
  InternalClient,
  InternalTokens,
  serviceSettings,
  startAdminServer,
  Tls,
} from '@tributary/service'
import { createLogger } from '@tributary/telemetry'

const TOKEN = 'scrape-4f7c1d'
const [first, second] = [temporaryFolder('tls'), temporaryFolder('tls-next')]
const certificates = await makeCertificates(first)
const next = await makeCertificates(second)

interface Served extends AdminServer {
  readonly tls: Tls
  readonly url: string
  readonly log: string[]
}

async function serve(t: TestContext, settings: Record<string, string> = {}, metricsToken: string | null = null) {
  const log: string[] = []
  const logger = createLogger({ name: 'test', stream: { write: (line) => log.push(line) > 0 } })
  const { serverCert, serverKey, ca } = certificates
  const values = serviceSettings.parse({ 'tls.cert': serverCert, 'tls.key': serverKey, 'tls.ca': ca, ...settings })
  const tls = Tls.load(values, logger)!
  const tokens = InternalTokens.from({ reveal: () => 'a key for tests that is long enough to be one' })
  const token = metricsToken === null ? null : { reveal: () => metricsToken }
  const admin = await startAdminServer({
    ...{ host: '127.0.0.1', port: 0, log: logger, tls, tokens, metricsToken: token },
    advertised: 'localhost',
    ready: () => true,
  })
  admin.app.get('/internal/self', () => ({ self: admin.address }))
  await admin.open()
  t.after(async () => {
    tls.stop()
    await admin.close()
  })
  return { ...admin, tls, url: `https://localhost:${admin.port}`, log } satisfies Served
}

interface Ended {
  readonly code: number | string
  readonly out: string
}

function run(command: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(command, args, { timeout: 10_000 }, (error, out, err) =>
      resolve({ code: error ? (error.code ?? 'killed') : 0, out: out + err }),
    )
    child.stdin?.end()
  })
}
/** curl's exit code, and on success status and body. */
const curl = (url: string, ...args: string[]): Promise<Ended> =>
  run('curl', ['-sS', '--max-time', '8', '-w', ' %{http_code}', ...args, url])
const trusting = (ca: string): string[] => ['--cacert', ca]
const asClient = ({ clientCert, clientKey }: Certificates): string[] => ['--cert', clientCert, '--key', clientKey]

/** The serial number of the certificate that the server shows to openssl. */
async function serialOf({ port }: Served): Promise<string> {
  const { out } = await run('openssl', ['s_client', '-connect', `localhost:${port}`, '-servername', 'localhost'])
  const pem = /-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/s.exec(out)?.[0] ?? assert.fail(out)
  const file = join(second, 'shown.pem')
  writeFileSync(file, pem)
  return (await run('openssl', ['x509', '-in', file, '-noout', '-serial'])).out
}

test('curl reaches the server over TLS 1.2 and 1.3 with the CA, and not without; nothing answers plain http or TLS 1.1', async (t) => {
  const served = await serve(t)
  for (const version of ['--tls-max 1.2', '--tlsv1.3']) {
    const { code, out } = await curl(`${served.url}/health`, ...trusting(certificates.ca), ...version.split(' '))
    assert.equal(code, 0, out)
    assert.match(out, /"healthy".* 200$/)
  }
  assert.equal((await curl(`${served.url}/health`)).code, 60, "curl's code for a certificate of an unknown CA")
  assert.notEqual((await curl(`http://localhost:${served.port}/health`)).code, 0)
  const old = await run('openssl', [
    's_client',
    '-connect',
    `localhost:${served.port}`,
    '-tls1_1',
    '-cipher',
    'ALL:@SECLEVEL=0',
  ])
  assert.match(old.out, /Cipher is \(NONE\)|no protocols available|alert protocol version/)
})

test('new files are used for new connections; files that cannot be used leave the old ones, and health says so', async (t) => {
  const folder = temporaryFolder('tls-live')
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  copyFileSync(certificates.serverCert, cert)
  copyFileSync(certificates.serverKey, key)
  const served = await serve(t, { 'tls.cert': cert, 'tls.key': key })
  const before = await serialOf(served)

  copyFileSync(next.serverCert, cert)
  await served.tls.look()
  assert.equal(served.tls.trouble, null, 'the key may follow')
  await served.tls.look()
  await served.tls.look()
  assert.match(served.tls.trouble ?? '', /cannot be used, so the earlier ones stay in use/)
  assert.match(
    (await curl(`${served.url}/health`, ...trusting(certificates.ca))).out,
    /earlier ones stay in use.* 200$/,
  )
  assert.equal(served.log.filter((line) => line.includes('event=tls_files_refused')).length, 1)
  assert.equal(await serialOf(served), before)

  copyFileSync(next.serverKey, key)
  await served.tls.look()
  assert.equal(served.tls.trouble, null)
  assert.notEqual(await serialOf(served), before)
  assert.equal((await curl(`${served.url}/health`, ...trusting(next.ca))).code, 0)
  assert.equal((await curl(`${served.url}/health`, ...trusting(certificates.ca))).code, 60)
})

test('a bundle of CAs that is half written is not used, as OpenSSL would silently leave the rest out', async (t) => {
  const bundle = join(temporaryFolder('tls-bundle'), 'ca.pem')
  const [mine, other] = [readFileSync(certificates.ca, 'utf8'), readFileSync(next.ca, 'utf8')]
  writeFileSync(bundle, mine + other)
  const served = await serve(t, { 'tls.ca': bundle, 'tls.client.auth': 'required' })
  const asOther = [`${served.url}/health`, ...trusting(certificates.ca), ...asClient(next)] as const
  assert.match((await curl(...asOther)).out, / 200$/)
  writeFileSync(bundle, mine + other.slice(0, 400))
  await served.tls.look()
  await served.tls.look()
  assert.match((await curl(...asOther)).out, /earlier ones stay in use.* 200$/)
})

test('a client certificate is taken when asked for, and required when required', async (t) => {
  const required = await serve(t, { 'tls.client.auth': 'required' })
  const ca = trusting(certificates.ca)
  assert.notEqual((await curl(`${required.url}/health`, ...ca)).code, 0)
  assert.notEqual((await curl(`${required.url}/health`, ...ca, ...asClient(next))).code, 0, 'of another CA')
  assert.equal((await curl(`${required.url}/health`, ...ca, ...asClient(certificates))).code, 0)
  const requested = await serve(t, { 'tls.client.auth': 'requested' })
  assert.match((await curl(`${requested.url}/health`, ...ca)).out, / 200$/)
  assert.match((await curl(`${requested.url}/metrics`, ...ca)).out, /needs the bearer token.* 401$/)
  assert.match((await curl(`${requested.url}/metrics`, ...ca, ...asClient(next))).out, / 401$/, 'of another CA')
  assert.match((await curl(`${requested.url}/metrics`, ...ca, ...asClient(certificates))).out, / 200$/)
})

test('metrics need the token, where there is one', async (t) => {
  const served = await serve(t, {}, TOKEN)
  const ask = (...more: string[]): Promise<Ended> =>
    curl(`${served.url}/metrics`, ...trusting(certificates.ca), ...more)
  for (const wrong of [[], ['-H', 'Authorization: Bearer wrong'], ['-H', `Authorization: Basic ${TOKEN}`]]) {
    assert.match((await ask(...wrong)).out, / 401$/)
  }
  assert.match((await ask('-H', `Authorization: Bearer ${TOKEN}`)).out, /tributary|# TYPE|^ 200$/)
})

test('processes ask each other over TLS, by the name under which they are known, whatever Host says', async (t) => {
  const served = await serve(t, { 'tls.client.auth': 'required' })
  const client = (tls: Tls) =>
    new InternalClient({
      tokens: InternalTokens.from({ reveal: () => 'a key for tests that is long enough to be one' }),
      tls: () => tls.clientOptions(),
      from: () => 'test',
    })
  const request = { method: 'GET', path: '/internal/self', headers: { host: 'rest.example:8083' } }
  const send = (from: InternalClient, address: string) =>
    from.send({ address, tls: true }, request, AbortSignal.timeout(5000))
  const known = client(served.tls)
  t.after(() => known.close())
  const { status, body } = await send(known, served.address)
  assert.deepEqual([status, body.toString()], [200, `{"self":"localhost:${served.port}"}`])
  assert.equal((await send(known, `127.0.0.1:${served.port}`)).status, 403, 'a token for another address')
  const { serverCert, serverKey } = next
  const values = serviceSettings.parse({ 'tls.cert': serverCert, 'tls.key': serverKey, 'tls.ca': next.ca })
  const stranger = Tls.load(values, createLogger({ name: 'test', stream: { write: () => true } }))!
  t.after(() => stranger.stop())
  await assert.rejects(send(client(stranger), served.address), /certificate/)
})

test('settings that cannot work are refused with a sentence, which shows no key', () => {
  const { serverCert, serverKey, ca, clientKey } = certificates
  const log = createLogger({ name: 'test', stream: { write: () => true } })
  const load = (props: Record<string, string>) => () => Tls.load(serviceSettings.parse(props), log)
  assert.throws(load({ 'tls.cert': serverCert }), /tls\.key: tls\.cert is set/)
  assert.throws(
    load({ 'tls.cert': serverCert, 'tls.key': clientKey }),
    /tls\.key: it is no key in PEM for the certificate/,
  )
  assert.throws(load({ 'tls.cert': serverKey, 'tls.key': serverKey }), /tls\.cert: it holds no certificate in PEM/)
  assert.throws(load({ 'tls.cert': '/dev/zero', 'tls.key': serverKey }), /tls\.cert: \/dev\/zero is no regular file/)
  assert.throws(load({ 'tls.client.auth': 'required', 'tls.ca': ca }), /tls\.client\.auth: it needs tls\.cert/)
  const text = readFileSync(clientKey, 'utf8')
  assert.throws(
    load({ 'tls.cert': serverCert, 'tls.key': text }),
    (error: Error) => !error.message.includes(text.slice(40, 80)),
  )
  assert.equal(load({})(), null)
})
