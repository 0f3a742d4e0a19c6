import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { ServerCredentials } from '@grpc/grpc-js'
import { NotConnectedError, type Props } from '@tributary/connect-api'
import { driveTask, tickerProps } from '../../support/grpc-task.ts'
import { fixture, sendTicks, startTicker, type Ticker } from '../../support/grpc-ticker.ts'

const pem = (name: string): Buffer => readFileSync(fixture(`tls/${name}`))
const TLS = { 'grpc.tls.enabled': 'true', 'grpc.tls.ca.cert': fixture('tls/ca.crt') }

async function withTicker(mutual: boolean, run: (ticker: Ticker) => Promise<void>): Promise<void> {
  const pair = { private_key: pem('server.key'), cert_chain: pem('server.crt') }
  const credentials = ServerCredentials.createSsl(pem('ca.crt'), [pair], mutual)
  const ticker = await startTicker({ watch: (call) => sendTicks(call, 1, 3), credentials, reflection: 'v1' })
  try {
    await run(ticker)
  } finally {
    ticker.stop()
  }
}

async function receives(ticker: Ticker, props: Props): Promise<void> {
  const driven = await driveTask(tickerProps(ticker.port, props))
  await driven.connect()
  assert.equal((await driven.pollTo(3)).length, 3)
  await driven.task.stop()
}

async function refused(ticker: Ticker, props: Props, reason: RegExp): Promise<void> {
  const driven = await driveTask(tickerProps(ticker.port, props))
  await assert.rejects(driven.connect(), (error: unknown) => {
    assert.ok(error instanceof NotConnectedError)
    assert.match(error.message, reason)
    return true
  })
  await driven.task.stop()
}

describe('a gRPC stream over TLS', () => {
  test('is read when the CA is trusted, by address and by name', async () => {
    await withTicker(false, async (ticker) => {
      await receives(ticker, TLS)
      await receives(ticker, { ...TLS, 'grpc.server.host': 'localhost', 'grpc.proto.descriptor': '' })
    })
  })

  test('is not read from a server whose certificate the CA has not signed', async () => {
    await withTicker(false, async (ticker) => {
      await refused(ticker, { ...TLS, 'grpc.tls.ca.cert': fixture('tls/other-ca.crt') }, /certificate/)
      await refused(ticker, { 'grpc.tls.enabled': 'true' }, /certificate/)
    })
  })

  test('is refused by a server in plain text, and the reverse', async () => {
    await withTicker(false, (ticker) => refused(ticker, {}, /Cannot connect to/))
    const plain = await startTicker({ watch: (call) => sendTicks(call, 1, 3) })
    await refused(plain, TLS, /Cannot connect to/)
    plain.stop()
  })

  test('is read with a client certificate, its key also encrypted or as text', async () => {
    await withTicker(true, async (ticker) => {
      const cert = { ...TLS, 'grpc.tls.client.cert': fixture('tls/client.crt') }
      await receives(ticker, { ...cert, 'grpc.tls.client.key': fixture('tls/client.key') })
      await receives(ticker, { ...cert, 'grpc.tls.client.key': pem('client.key').toString() })
      await receives(ticker, {
        ...cert,
        'grpc.tls.client.key': fixture('tls/client-encrypted.key'),
        'grpc.tls.client.key.password': 'correct-horse',
      })
      await refused(ticker, TLS, /certificate required/)
    })
  })

  test('uses renewed files at the next connect, and the old ones while the files are missing', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'grpc-tls-'))
    const ca = join(folder, 'ca.crt')
    await copyFile(fixture('tls/other-ca.crt'), ca)
    await withTicker(false, async (ticker) => {
      const driven = await driveTask(tickerProps(ticker.port, { ...TLS, 'grpc.tls.ca.cert': ca }))
      await assert.rejects(driven.connect(), /certificate/)
      await copyFile(fixture('tls/ca.crt'), ca)
      await driven.connect()
      await rm(folder, { recursive: true })
      await driven.connect()
      assert.ok(driven.event('tls_files_unreadable'))
      await driven.task.stop()
    })
  })
})
