import assert from 'node:assert/strict'
import { type AddressInfo, createServer } from 'node:net'
import { describe, test } from 'node:test'
import { Connection, ConnectionError, findCoordinatorV3 } from './index.ts'

/** A server that answers the second request of a connection with `answers`, given the correlation ids of both. */
async function brokerThatAnswers(answers: (ids: readonly number[]) => Buffer) {
  const server = createServer((socket) => {
    let seen = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      seen = Buffer.concat([seen, chunk])
      const first = 4 + seen.readInt32BE(0)
      if (seen.length <= first) return
      socket.write(answers([seen.readInt32BE(8), seen.readInt32BE(first + 8)]))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const to = { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
  const settings = { brokers: [`${to.host}:${to.port}`], clientId: 'test' }
  const connection = await Connection.open(settings, to, { connectTimeoutMs: 10_000, requestTimeoutMs: 10_000 })
  return { connection, [Symbol.dispose]: () => void server.close() }
}

function frame(id: number, body: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.writeInt32BE(4 + body.length, 0)
  head.writeInt32BE(id, 4)
  return Buffer.concat([head, body])
}

/** FindCoordinator, version 3: tagged fields, throttle time, code, message, node, host "h", port, tagged fields. */
const readable = Buffer.from('00' + '00000000' + '0000' + '00' + '00000001' + '0268' + '00000001' + '00', 'hex')

const UNREADABLE: Readonly<Record<string, (ids: readonly number[]) => Buffer>> = {
  'whose body is nonsense': ([id]) => frame(id!, Buffer.alloc(20, 0xff)),
  'that is cut': ([id]) => frame(id!, readable.subarray(0, 5)),
  'of less than no bytes': () => Buffer.from('ffffffff', 'hex'),
  'without room for its number': () => Buffer.from('0000000000000000', 'hex'),
}

describe('an answer', () => {
  for (const [which, bytes] of Object.entries(UNREADABLE)) {
    test(`${which} ends the connection, and no answer behind it is believed`, async () => {
      using broker = await brokerThatAnswers((ids) => Buffer.concat([bytes(ids), frame(ids[1]!, readable)]))
      const { connection } = broker
      const requests = [1, 2].map(() => connection.request(findCoordinatorV3, 0, 'g'))
      const outcomes = await Promise.allSettled(requests)
      for (const outcome of outcomes) {
        assert.ok(outcome.status === 'rejected' && outcome.reason instanceof ConnectionError)
        assert.match(outcome.reason.message, /an answer that cannot be read/)
      }
      await connection.closed
    })
  }

  test('that can be read is believed', async () => {
    using broker = await brokerThatAnswers((ids) => Buffer.concat(ids.map((id) => frame(id, readable))))
    const { connection } = broker
    const answers = await Promise.all([1, 2].map(() => connection.request(findCoordinatorV3, 0, 'g')))
    assert.deepEqual(
      answers.map(({ errorCode, host }) => [errorCode, host]),
      [
        [0, 'h'],
        [0, 'h'],
      ],
    )
    await connection.close()
  })
})
