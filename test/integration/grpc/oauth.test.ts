import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { builtGoProgram, startForeignServer } from '../../support/foreign-server.ts'
import { driveTask, tickerProps } from '../../support/grpc-task.ts'

/** UNAUTHENTICATED */
const CODE = '16'

test('calls to a server of grpc-go carry an access token, and a new one after the server refused it', async (t) => {
  let tokens = 0
  const endpoint = createServer((_request, response) => {
    response.end(JSON.stringify({ access_token: `token${++tokens}`, token_type: 'bearer', expires_in: 3600 }))
  }).listen(0, '127.0.0.1')
  await once(endpoint, 'listening')
  t.after(() => endpoint.close())
  const args = ['-count', '1', '-code', CODE]
  const server = await startForeignServer({ command: await builtGoProgram('grpc-go'), args })
  t.after(() => server.stop())
  const url = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/token`
  const oauth = { 'grpc.oauth.token.url': url, 'grpc.oauth.client.id': 'me', 'grpc.oauth.client.secret': 's3cret' }
  const driven = await driveTask(tickerProps(server.port, oauth))
  for (const number of [1, 2]) {
    await driven.connect()
    await driven.pollTo(number)
    assert.match(String(await driven.pollToError()), /UNAUTHENTICATED/)
  }
  await driven.task.stop()
  assert.deepEqual((await server.output()).match(/token\d/g), ['token1', 'token2'])
  assert.doesNotMatch(JSON.stringify(driven.log), /s3cret|token1|token2/)
})
