import { makeCertificates, sharedKafka, temporaryFolder } from '@tributary/harness'
import { Tls, serviceSettings } from '@tributary/service'
import { silentLog } from '@tributary/telemetry/testing'
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import test from 'node:test'
import { text } from 'node:stream/consumers'
import { clusterProps, startPlane } from '../../support/control-plane.ts'
import { until } from '../../support/until.ts'

const { brokers } = await sharedKafka()

interface Caller {
  readonly cert?: string
  readonly key?: string
}

/** The status and the message of GET /connectors. */
async function get(
  url: string,
  ca: string,
  caller: Caller,
  headers: Record<string, string> = {},
): Promise<[number, string]> {
  const agent = new Agent({ ca, ...caller })
  const { promise, resolve, reject } = Promise.withResolvers<[number, string]>()
  const target = new URL('/connectors', url)
  request(target, { agent, headers }, (answer) => {
    void text(answer).then((body) => resolve([answer.statusCode!, body]), reject)
  })
    .once('error', reject)
    .end()
  return promise.finally(() => agent.destroy())
}

test('the name in a client certificate that tls.ca signs is the identity; another certificate is none', async (t) => {
  const [ours, foreign] = [temporaryFolder('ours'), temporaryFolder('foreign')]
  const certificates = await makeCertificates(ours)
  const strangers = await makeCertificates(foreign)
  const grants = join(ours, 'grants.properties')
  await writeFile(grants, 'cert.CN\\=tributary-client=viewer')
  const props = { 'access.authentication': 'certificate,keys', 'access.grants.file': grants }
  const tls = Tls.load(
    serviceSettings.parse({
      'tls.cert': certificates.serverCert,
      'tls.key': certificates.serverKey,
      'tls.ca': certificates.ca,
      'tls.client.auth': 'requested',
    }),
    silentLog,
  )
  const { url } = await startPlane(t, { ...clusterProps(brokers), ...props }, tls)
  const ca = await readFile(certificates.ca, 'utf8')
  const own = {
    cert: await readFile(certificates.clientCert, 'utf8'),
    key: await readFile(certificates.clientKey, 'utf8'),
  }
  const other = { cert: await readFile(strangers.clientCert, 'utf8'), key: await readFile(strangers.clientKey, 'utf8') }

  assert.deepEqual(await get(url, ca, own), [200, '[]'])
  assert.equal((await get(url, ca, {}))[0], 401)
  assert.equal((await get(url, ca, other))[0], 401, 'of another authority')
  assert.equal(
    (await get(url, ca, own, { 'x-api-key': 'trib_x' }))[0],
    401,
    'a wrong key counts before the certificate',
  )

  await writeFile(grants, 'cert.CN\\=somebody=viewer')
  await until('its grants are read again, and give no right', async () => (await get(url, ca, own))[0] === 403)
})
