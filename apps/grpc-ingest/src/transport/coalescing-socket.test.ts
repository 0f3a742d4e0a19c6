import assert from 'node:assert/strict'
import { once } from 'node:events'
import * as net from 'node:net'
import { test } from 'node:test'
import { CoalescingSocket } from './coalescing-socket.ts'

/** A PING frame (RFC 9113, section 6.7). */
const PING = Buffer.from('000008060000000000' + '0102030405060708', 'hex')

test('a server that sends data and ends the connection is no error, also when the socket has ended its own side first', async () => {
  const server = net.createServer((peer) => void peer.end(PING)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = net.connect(server.address() as net.AddressInfo)
  const coalescing = new CoalescingSocket(socket)
  const errors: Error[] = []
  coalescing.on('error', (error) => errors.push(error))
  const closed = new Promise((resolve) => coalescing.once('close', resolve))
  const read: Buffer[] = []
  socket.once('finish', () => coalescing.on('data', (bytes: Buffer) => read.push(bytes)))
  await closed
  server.close()
  assert.deepEqual([Buffer.concat(read), errors], [PING, []])
})
