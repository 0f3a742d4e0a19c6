import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import type { Props } from '@tributary/connect-api'
import { exampleRuns } from './example-runs.ts'
import { fixture } from '../../support/grpc-ticker.ts'
import { type Services, startServices } from '../../support/services.ts'
import { expectedValues, startExampleServer } from './websocket-server.ts'

const RECORDS = 10
const URL_KEY = 'websocket.url'

const server = await startExampleServer()
const runs = await exampleRuns()
const tls = `wss://localhost:${server.tlsPort}`

/** URLs of the documents, and the URLs of the example server that replace them. Nothing else is replaced. */
const URLS: Readonly<Record<string, string>> = {
  'wss://stream.binance.com:9443/ws': `${tls}/binance`,
  'wss://ws-feed.exchange.coinbase.com': `${tls}/coinbase`,
  'wss://echo.websocket.org': `${tls}/echo`,
  'wss://api.example.com/ws': `${tls}/plain`,
  'wss://example.com/ws': `${tls}/plain`,
  'ws://host.testcontainers.internal:8080/': `ws://127.0.0.1:${server.port}/plain`,
}

/**
 * The beginning of the error of each key, for fragments with an error: the file that the document names does not exist.
 */
const FRAGMENT_ERRORS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'websocket-faq': {},
  'websocket-faq-2': {},
  'websocket-faq-3': {},
  'websocket-faq-4': {},
  'websocket-prerequisites': { 'websocket.auth.token': 'Could not read properties from file' },
  'websocket-runbook': {},
  'websocket-runbook-2': {},
}

interface Example {
  readonly file: string
  readonly connector: string
  readonly config: Props
}

const read = (folder: string): Example[] =>
  readdirSync(new URL(`../../fixtures/websocket/${folder}`, import.meta.url)).map((file) => {
    const text = readFileSync(new URL(`../../fixtures/websocket/${folder}/${file}`, import.meta.url), 'utf8')
    const { name, config } = JSON.parse(text) as { name: string; config: Props }
    return { file: file.replace('.json', ''), connector: name, config }
  })

const examples = read('examples').map((example): Example => {
  const url = URLS[example.config[URL_KEY]!]
  assert.ok(url, `${example.file} has a URL that the table lacks`)
  return { ...example, config: { ...example.config, [URL_KEY]: url } }
})

describe("the documents' WebSocket configurations, posted to the REST API", () => {
  let services: Services | undefined
  before(async () => {
    // The public feeds have certificates of public CAs. Here the CA of the example server stands for these.
    services = await startServices('ws-ingest', { NODE_EXTRA_CA_CERTS: fixture('tls/ca.crt') })
  })
  after(async () => {
    await services?.stop()
    server.stop()
    await runs.stop()
  })

  for (const example of examples) {
    test(`${example.file} (${example.connector}) runs and gives the right records`, async () => {
      const { config } = example
      const records = await runs.run(services!, example, RECORDS, () => server.connections === 0)
      const { pathname } = new URL(config[URL_KEY]!)
      const expected = expectedValues(pathname, config['websocket.subscription.message'], RECORDS)
      assert.deepEqual(
        records.map(({ value }) => String(value)),
        expected,
      )
      assert.ok(records.every(({ key }) => key === null))
      assert.equal(server.subscription(pathname), config['websocket.subscription.message'])
    })
  }

  test('send the configured token and headers', async () => {
    const example = examples.find(({ file }) => file.includes('authenticated'))!
    await runs.run(services!, example, RECORDS, () => server.connections === 0)
    const sent = server.headers('/plain')
    assert.deepEqual(
      [sent?.authorization, sent?.['user-agent'], sent?.['x-custom-header']],
      ['Bearer your-bearer-token-here', 'KafkaConnectWebSocket/1.0', 'value'],
    )
  })

  for (const { file, config } of read('fragments')) {
    test(`the fragment ${file}, added to the required keys, has the errors of the table`, async () => {
      const base = examples.find((example) => example.file === 'websocket-faq')!.config
      const path = `/connector-plugins/${base['connector.class']}/config/validate`
      const { status, body } = await services!.rest('PUT', path, { ...base, name: file, ...config })
      assert.equal(status, 200)
      const { configs } = body as { configs: { value: { name: string; errors: string[] } }[] }
      const wrong = configs.map(({ value }) => value).filter(({ errors }) => errors.length > 0)
      const expected = FRAGMENT_ERRORS[file]!
      assert.deepEqual(
        wrong.map(({ name }) => name),
        Object.keys(expected),
      )
      for (const { name, errors } of wrong) {
        assert.equal(errors.length, 1)
        assert.ok(errors[0]!.startsWith(expected[name]!), errors[0])
      }
    })
  }
})
