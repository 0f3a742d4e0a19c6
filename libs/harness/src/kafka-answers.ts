import { connect } from 'node:net'

/**
 * A metadata request, version 1: header (api 3, version 1, correlation 1, no client id) and an empty list of topics.
 */
const metadataRequest = Buffer.from('0000000e' + '0003' + '0001' + '00000001' + 'ffff' + '00000000', 'hex')

/**
 * Whether the plaintext listener at host:port belongs to a Kafka broker that has joined its cluster. An open port is
 * not enough: a KRaft broker listens shortly before it joins, and lists no brokers until then.
 */
export function kafkaAnswers(broker: string, timeoutMs = 2000): Promise<boolean> {
  const separator = broker.lastIndexOf(':')
  const host = broker.slice(0, separator)
  const port = Number(broker.slice(separator + 1))
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    let received: Buffer = Buffer.alloc(0)
    const done = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(timeoutMs, () => done(false))
    socket.on('connect', () => socket.write(metadataRequest))
    socket.on('error', () => done(false))
    socket.on('close', () => resolve(false))
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      // The answer starts with size, correlation id and number of brokers.
      if (received.length >= 12) done(received.readInt32BE(8) > 0)
    })
  })
}
