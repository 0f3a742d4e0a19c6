import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CallListener, runOf } from '../transport/index.ts'
import { MessageStream } from './message-stream.ts'

test('the idle timeout begins at the last message, and is never cut short', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  let listener: CallListener | undefined
  let ended: string | null = null
  const call = {
    pause() {},
    resume() {},
    send() {},
    abandon() {},
    finish: ({ message }: { message: string }) => (ended = message),
  }
  const connection = {
    call: (_request: unknown, its: CallListener) => {
      listener = its
      return call
    },
    close() {},
  }
  const request = { path: '/a.B/C', metadata: {}, message: Buffer.alloc(0), deadlineMs: 0, maxMessageBytes: 1000 }
  const stream = new MessageStream(connection, request, 4000, { onMessages() {}, onEnd() {} })
  t.mock.timers.tick(1999)
  listener?.onMessages(runOf(Buffer.from('one')))
  t.mock.timers.tick(3999)
  assert.equal(ended, null)
  t.mock.timers.tick(1002)
  assert.match(String(ended), /no message came for 4000 ms/)
  stream.close()
})
