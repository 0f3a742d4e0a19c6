/**
 * The limit of the request rate: one fastify route that answers with given bytes.
 *
 * Its argument is the body. Prints `port=<n>`.
 */
import fastify from 'fastify'
import { type AddressInfo } from 'node:net'

const body = process.argv[2]!
const app = fastify()
app.get('/connectors/:connector', (_request, reply) => reply.type('application/json').send(body))
await app.listen({ host: '127.0.0.1', port: 0 })
console.log(`port=${(app.server.address() as AddressInfo).port}`)
process.stdin.on('end', () => process.exit(0)).resume()
