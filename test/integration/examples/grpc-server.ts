import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js'
import protobuf from 'protobufjs'
import { addReflection, descriptorFiles, fixture } from '../../support/grpc-ticker.ts'

const SETS = ['example', 'production', 'secure', 'test', 'test_stream'].map((name) => fixture(`${name}.desc`))

/** The nth message of each response type, and the JSON value of its record. */
const MESSAGES: Readonly<Record<string, (n: number) => { readonly message: object; readonly json: object }>> = {
  'com.example.Event': (n) => ({
    message: {
      event_id: `e-${n}`,
      occurred_at: { seconds: n },
      type: 'order.placed',
      amount: { cents: -n },
      sequence: n,
    },
    json: {
      eventId: `e-${n}`,
      occurredAt: new Date(n * 1000).toISOString().replace('.000', ''),
      type: 'order.placed',
      amount: { currency: '', cents: String(-n) },
      sequence: String(n),
    },
  }),
  'teststream.StreamEvent': (n) => ({
    message: { event_id: `e-${n}`, event_type: 'order.placed', payload: '{"<a>":1}', sequence: n },
    json: { eventId: `e-${n}`, timestamp: '', eventType: 'order.placed', payload: '{"<a>":1}', sequence: String(n) },
  }),
  'test.StreamDataResponse': (n) => ({ message: { id: n, data: `d-${n}` }, json: { id: String(n), data: `d-${n}` } }),
}

export interface ExampleServer {
  readonly port: number
  /** The port with TLS that accepts any client. */
  readonly tlsPort: number
  /** The port with TLS that refuses a client without a certificate of the CA. */
  readonly mutualTlsPort: number
  /** The received requests by method, as objects. */
  readonly requests: ReadonlyMap<string, object>
  /** The number of open streams. */
  readonly streams: number
  /** The metadata of the last call of a method. */
  metadata(method: string): Readonly<Record<string, unknown>> | undefined
  stop(): void
}

/** The JSON value of the nth record (from 1) of a method, `package.Service/Method`. */
export function expectedValue(method: string, n: number): object {
  const [service, name] = method.split('/') as [string, string]
  return MESSAGES[typesOf(service, name).responseType.fullName.slice(1)]!(n).json
}

const roots = SETS.map((path) => protobuf.Root.fromDescriptor(readFileSync(path), { keepCase: true }))

function typesOf(service: string, name: string): { requestType: protobuf.Type; responseType: protobuf.Type } {
  for (const root of roots) {
    const found = root.lookup(service)
    if (!(found instanceof protobuf.Service)) continue
    const method = found.methods[name]!
    method.resolve()
    return { requestType: method.resolvedRequestType!, responseType: method.resolvedResponseType! }
  }
  throw new Error(`no example has the service ${service}`)
}

/** Every service that the documents' examples name, with reflection, in plain text and over TLS. Streams do not end. */
export async function startExampleServer(): Promise<ExampleServer> {
  const files = descriptorFiles(SETS)
  const requests = new Map<string, object>()
  const metadata = new Map<string, Readonly<Record<string, unknown>>>()
  const open = new Set<object>()
  const server = new Server()
  for (const file of new Map(files.map((f) => [f.name, f])).values()) {
    for (const service of file.service ?? []) {
      const full = `${file.package}.${service.name}`
      const [name] = (service as unknown as { method: { name: string }[] }).method.map((m) => m.name)
      const { requestType, responseType } = typesOf(full, name!)
      const make = MESSAGES[responseType.fullName.slice(1)]!
      const method = {
        path: `/${full}/${name!}`,
        requestStream: false,
        responseStream: true,
        requestSerialize: (request: object) => Buffer.from(requestType.encode(request).finish()),
        requestDeserialize: (bytes: Buffer) => requestType.toObject(requestType.decode(bytes)),
        responseSerialize: (message: object) =>
          Buffer.from(responseType.encode(responseType.fromObject(message)).finish()),
        responseDeserialize: (bytes: Buffer) => responseType.decode(bytes),
      }
      const stream = (call: ServerWritableStream<object, object>): void => {
        requests.set(`${full}/${name!}`, call.request)
        metadata.set(`${full}/${name!}`, call.metadata.getMap())
        let n = 0
        const timer = setInterval(() => call.write(make(++n).message), 5)
        open.add(call)
        call.on('cancelled', () => {
          clearInterval(timer)
          open.delete(call)
        })
      }
      server.addService({ [name!]: method }, { [name!]: stream })
    }
  }
  addReflection(server, 'v1', files)
  const bind = promisify(server.bindAsync.bind(server))
  const ca = readFileSync(fixture('tls/ca.crt'))
  const pair = {
    private_key: readFileSync(fixture('tls/server.key')),
    cert_chain: readFileSync(fixture('tls/server.crt')),
  }
  return {
    port: await bind('127.0.0.1:0', ServerCredentials.createInsecure()),
    tlsPort: await bind('127.0.0.1:0', ServerCredentials.createSsl(ca, [pair], false)),
    mutualTlsPort: await bind('127.0.0.1:0', ServerCredentials.createSsl(ca, [pair], true)),
    requests,
    get streams() {
      return open.size
    },
    metadata: (method) => metadata.get(method),
    stop: () => server.forceShutdown(),
  }
}
