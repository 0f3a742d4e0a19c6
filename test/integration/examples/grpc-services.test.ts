import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { exampleRuns } from './example-runs.ts'
import { expectedValue, startExampleServer } from './grpc-server.ts'
import { exampleFragments, grpcExamples, secretsFile } from './grpc-configs.ts'
import { type Services, startServices } from '../../support/services.ts'

const RECORDS = 10

const CA = 'grpc.tls.ca.cert'
const CERT = 'grpc.tls.client.cert'
const KEY = 'grpc.tls.client.key'
const NO_DESCRIPTOR = { 'grpc.proto.descriptor': 'Failed to load proto descriptor' }

/**
 * The beginning of the error of each key, for fragments with an error: the files that the documents name do not exist.
 * All other fragments are valid, including those with comments behind a value.
 */
const FRAGMENT_ERRORS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'grpc-configuration': { [CA]: 'Cannot read TLS certificate /etc/ssl/certs/ca.crt' },
  'grpc-configuration-2': {
    [CA]: 'Cannot read TLS certificate /etc/ssl/certs/ca.crt',
    [CERT]: 'Cannot read TLS certificate /etc/ssl/certs/client.crt',
    [KEY]: 'Cannot read TLS key',
  },
  'grpc-configuration-3': {},
  'grpc-configuration-4': {},
  'grpc-configuration-5': {},
  'grpc-faq': { [CA]: 'Cannot read TLS certificate /path/to/ca.crt' },
  'grpc-faq-2': {
    [CA]: 'Cannot read TLS certificate /path/to/ca.crt',
    [CERT]: 'Cannot read TLS certificate /path/to/client.crt',
    [KEY]: 'Cannot read TLS key',
  },
  'grpc-faq-3': {},
  'grpc-faq-4': {},
  'grpc-faq-5': NO_DESCRIPTOR,
  'grpc-faq-6': NO_DESCRIPTOR,
  'grpc-faq-7': {},
  'grpc-faq-8': {},
  'grpc-faq-9': {},
  'grpc-prerequisites': { [KEY]: 'Invalid value [hidden] for configuration grpc.tls.client.key' },
  'grpc-runbook': {},
  'grpc-runbook-2': {},
  'grpc-runbook-3': {},
}

const folder = mkdtempSync(join(tmpdir(), 'example-configs-'))
const secretsPath = join(folder, 'secrets.properties')
writeFileSync(secretsPath, secretsFile)
const server = await startExampleServer()
const examples = grpcExamples(server, secretsPath)
const runs = await exampleRuns()

after(async () => {
  server.stop()
  rmSync(folder, { recursive: true })
  await runs.stop()
})

describe("the documents' gRPC configurations, posted to the REST API", () => {
  let services: Services | undefined
  before(async () => {
    services = await startServices()
  })
  after(() => services?.stop())

  for (const example of examples) {
    test(`${example.name} runs and gives the right records`, async () => {
      const { config } = example
      const records = await runs.run(services!, example, RECORDS, () => server.streams === 0)
      const method = `${config['grpc.service.name']}/${config['grpc.method.name']}`
      for (const [i, record] of records.entries()) {
        assert.deepEqual(JSON.parse(String(record.value)), expectedValue(method, i + 1))
        assert.equal(record.key, null)
      }
    })
  }

  test('send the configured request and metadata', () => {
    const production = 'com.example.production.EventService/StreamEvents'
    assert.deepEqual(server.requests.get(production), { environment: 'production', version: 'v1' })
    const sent = server.metadata(production)
    assert.deepEqual([sent?.['authorization'], sent?.['x-environment']], ['Bearer s3cret', 'production'])
    const signed = server.metadata('com.example.secure.DataService/StreamSecureData')
    assert.deepEqual([signed?.['authorization'], signed?.['x-client-id']], ['Bearer s3cret', 'kafka-connect-prod-01'])
  })

  for (const [fragment, config] of exampleFragments()) {
    test(`the fragment ${fragment}, added to the five required keys, has the errors of the table`, async () => {
      const base = examples.find(({ name }) => name.startsWith('grpc-faq '))!.config
      const path = `/connector-plugins/${base['connector.class']}/config/validate`
      const { status, body } = await services!.rest('PUT', path, { ...base, name: fragment, ...config })
      assert.equal(status, 200)
      const { configs } = body as { configs: { value: { name: string; errors: string[] } }[] }
      const wrong = configs.map(({ value }) => value).filter(({ errors }) => errors.length > 0)
      const expected = FRAGMENT_ERRORS[fragment]!
      const keys = wrong.map((value) => value.name)
      assert.deepEqual(keys, Object.keys(expected))
      for (const { name, errors } of wrong) {
        assert.equal(errors.length, 1)
        assert.ok(errors[0]!.startsWith(expected[name]!), errors[0])
      }
    })
  }
})
