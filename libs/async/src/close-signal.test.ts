import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { closeSignal } from './close-signal.ts'

test('aborts when the client goes away, and not when it has its answer', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const ask = async (): Promise<[ReturnType<typeof request>, ServerResponse]> => {
    const asked = once(server, 'request') as Promise<[unknown, ServerResponse]>
    const client = request({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', agent: false })
    client.on('error', () => undefined).end()
    return [client, (await asked)[1]]
  }
  const [leaving, unanswered] = await ask()
  const gone = closeSignal(unanswered)
  assert.equal(gone.aborted, false)
  leaving.destroy()
  await once(unanswered, 'close')
  assert.equal(gone.aborted, true)

  const [, answered] = await ask()
  const stays = closeSignal(answered)
  answered.end('answer')
  await once(answered, 'close')
  assert.equal(stays.aborted, false)
})
