/**
 * How many messages @grpc/grpc-js delivers of a call that ends with UNAVAILABLE while its reader is paused
 * (grpc/grpc-node#2764). All messages fit into the HTTP/2 window, so they have arrived. Prints one JSON line.
 *
 * npm run bench -- grpc-js
 */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import {
  type ClientReadableStream,
  credentials,
  makeGenericClientConstructor,
  Server,
  ServerCredentials,
  type ServiceError,
  status,
  type ServerWritableStream,
} from '@grpc/grpc-js'

const COUNT = 1500
const unchanged = (bytes: Buffer): Buffer => bytes
const service = {
  Watch: {
    ...{ path: '/bench.Feed/Watch', requestStream: false, responseStream: true },
    ...{ requestSerialize: unchanged, requestDeserialize: unchanged },
    ...{ responseSerialize: unchanged, responseDeserialize: unchanged },
  },
}

const server = new Server()
server.addService(service, {
  Watch(call: ServerWritableStream<Buffer, Buffer>) {
    for (let i = 0; i < COUNT; i++) call.write(Buffer.alloc(20))
    call.emit('error', { code: status.UNAVAILABLE, details: 'going down' })
  },
})
const port = await promisify(server.bindAsync.bind(server))('127.0.0.1:0', ServerCredentials.createInsecure())

async function delivered(pauseMs: number): Promise<number> {
  const Feed = makeGenericClientConstructor(service, 'Feed')
  const client = new Feed(`127.0.0.1:${port}`, credentials.createInsecure())
  const watch = client['Watch'] as (request: Buffer) => ClientReadableStream<Buffer>
  const call = watch.call(client, Buffer.alloc(0))
  let count = 0
  call.on('data', () => {
    if (++count !== 50 || pauseMs === 0) return
    call.pause()
    setTimeout(() => call.resume(), pauseMs)
  })
  // The call ends with the error that the server sent. Messages might still be read after it.
  const [error] = (await once(call, 'error')) as [ServiceError]
  if (error.code !== status.UNAVAILABLE) throw new Error(`the call ended with ${error.code}`)
  await sleep(pauseMs + 500)
  client.close()
  return count
}

const watching = { messages: COUNT, reading: await delivered(0), pausedForOneSecond: await delivered(1000) }
server.forceShutdown()
console.log(JSON.stringify({ bench: 'grpc-js', ...watching }))
