import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NotConnectedError } from '@tributary/connect-api'
import { BackgroundReconnect } from './background-reconnect.ts'
import type { Reconnector } from './reconnector.ts'

test('deliveries that end at once share a timer, and one that lasts has its connection checked', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const set = t.mock.method(globalThis, 'setInterval')
  let looks = 0
  let connects = 0
  const reconnect = new BackgroundReconnect({
    task: { lostConnection: () => (looks++, new NotConnectedError('CUT', 'the server went away')) },
    connection: {
      connected: true,
      lost: () => undefined,
      connect: () => Promise.resolve(void connects++),
    } as unknown as Reconnector,
    signal: new AbortController().signal,
  })
  for (let i = 0; i < 100; i++) {
    await reconnect.during(Promise.resolve())
    t.mock.timers.tick(1)
  }
  assert.equal(set.mock.callCount(), 1)
  assert.equal(looks, 0)
  const delivery = Promise.withResolvers<void>()
  const delivered = reconnect.during(delivery.promise)
  t.mock.timers.tick(200)
  assert.equal(connects, 1)
  assert.equal(reconnect.hasQueuedMessages, true)
  delivery.resolve()
  await delivered
  const { length } = set.mock.calls
  t.mock.timers.tick(300)
  assert.equal(looks, 1)
  assert.equal(set.mock.calls.length, length)
})
