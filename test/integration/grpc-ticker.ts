import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import {
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  Metadata,
  Server,
  ServerCredentials,
  type ServerWritableStream,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import protobuf from 'protobufjs'
import descriptor from 'protobufjs/ext/descriptor.js'

export const fixtures = new URL('../fixtures/grpc/', import.meta.url)
export const fixture = (name: string): string => new URL(name, fixtures).pathname

export interface WatchRequest {
  readonly symbol: string
  readonly from: { readonly sequence: number } | null
  readonly token: string
}
export interface Tick {
  readonly sequence?: number
  readonly symbol?: string
  readonly at?: { readonly seconds: number; readonly nanos?: number }
  readonly price?: { readonly units?: number; readonly levels?: readonly number[] }
  readonly token?: string
  readonly blob?: Uint8Array
}
export type WatchCall = ServerWritableStream<WatchRequest, Tick & { readonly malformed?: Buffer }>

export interface TickerOptions {
  /** Answers a Watch; `stream` counts from 1. */
  readonly watch: (call: WatchCall, stream: number) => void | Promise<void>
  readonly credentials?: ServerCredentials
  /** Which version of reflection it offers; default: none. */
  readonly reflection?: 'v1' | 'v1alpha'
  /** 0 (default): a free one */
  readonly port?: number
}

export interface Ticker {
  readonly port: number
  readonly requests: readonly WatchRequest[]
  readonly metadata: readonly Metadata[]
  /** Ticks given to the transport. */
  written: number
  /** Cuts all connections and frees the port. */
  stop(): void
}

const schema = new protobuf.Root()
schema.addJSON(protobuf.common.get('google/protobuf/timestamp.proto')!.nested!)
protobuf.parse(readFileSync(fixture('proto/ticker.proto'), 'utf8'), schema, { keepCase: true })
const requestType = schema.lookupType('ticker.v1.WatchRequest')
const tickType = schema.lookupType('ticker.v1.Tick')

/** `malformed` goes out as it is. */
export function encodeTick(tick: Tick & { readonly malformed?: Buffer }): Buffer {
  return tick.malformed ?? Buffer.from(tickType.encode(tick).finish())
}

/** A real grpc-js server of `ticker.v1.Ticker`. */
export async function startTicker(options: TickerOptions): Promise<Ticker> {
  const server = new Server({ 'grpc.max_send_message_length': -1 })
  const requests: WatchRequest[] = []
  const metadata: Metadata[] = []
  const ticker = { port: 0, requests, metadata, written: 0, stop: () => server.forceShutdown() }
  const watch: handleServerStreamingCall<WatchRequest, Tick> = (call) => {
    requests.push(call.request)
    metadata.push(call.metadata)
    const write = call.write.bind(call) as (tick: Tick) => boolean
    call.write = (tick: Tick) => {
      ticker.written++
      return write(tick)
    }
    const answered = options.watch(call, requests.length)
    // A call that the client has ended cannot be written to any more; nobody waits for its end.
    answered?.catch(() => {})
  }
  server.addService(
    {
      Watch: {
        path: '/ticker.v1.Ticker/Watch',
        requestStream: false,
        responseStream: true,
        requestSerialize: (request: WatchRequest) => Buffer.from(requestType.encode(request).finish()),
        requestDeserialize: (bytes: Buffer) =>
          requestType.toObject(requestType.decode(bytes), { defaults: true, longs: Number }) as WatchRequest,
        responseSerialize: encodeTick,
        responseDeserialize: (bytes: Buffer) => tickType.decode(bytes) as unknown as Tick,
      },
    },
    { Watch: watch } as UntypedServiceImplementation,
  )
  if (options.reflection) addReflection(server, options.reflection)
  const bind = promisify(server.bindAsync.bind(server))
  ticker.port = await bind(`127.0.0.1:${options.port ?? 0}`, options.credentials ?? ServerCredentials.createInsecure())
  return ticker
}

/** Writes ticks `from`…`to`, waiting whenever the client's window is full; stops when the client is gone. */
export async function sendTicks(call: WatchCall, from: number, to: number, more: Tick = {}): Promise<void> {
  for (let sequence = from; sequence <= to && !call.cancelled; sequence++) {
    if (!call.write({ sequence, symbol: 'ABC', ...more })) await room(call)
  }
}

function room(call: WatchCall): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      call.off('drain', done)
      call.off('cancelled', done)
      resolve()
    }
    call.on('drain', done)
    call.on('cancelled', done)
  })
}

/** Ends a call as a failing server does. */
export function fail(call: WatchCall, code: number, details: string): void {
  call.emit('error', { code, details })
}

/** Answers for `ticker.desc`, as grpc's own reflection services do. */
function addReflection(server: Server, version: string): void {
  const reflection = new protobuf.Root()
  const source = new URL('../../apps/demo-feed/proto/reflection.proto', import.meta.url)
  protobuf.parse(readFileSync(source, 'utf8'), reflection, { keepCase: true })
  const request = reflection.lookupType('grpc.reflection.v1.ServerReflectionRequest')
  const response = reflection.lookupType('grpc.reflection.v1.ServerReflectionResponse')
  const set = descriptor.FileDescriptorSet.decode(readFileSync(fixture('ticker.desc')))
  const files = (set as unknown as { file: { name: string }[] }).file
  const bytesOf = (file: object): Uint8Array => descriptor.FileDescriptorProto.encode(file).finish()
  const answer: handleBidiStreamingCall<Record<string, string>, object> = (call) => {
    call.on('data', (question: Record<string, string>) => {
      const { file_by_filename: name, file_containing_symbol: symbol } = question
      const file = symbol?.startsWith('ticker.v1.Ticker')
        ? files.find((f) => f.name === 'proto/ticker.proto')
        : files.find((f) => f.name === name)
      if (file) call.write({ file_descriptor_response: { file_descriptor_proto: [bytesOf(file)] } })
      else if (question['list_services'] !== undefined) {
        call.write({ list_services_response: { service: [{ name: 'ticker.v1.Ticker' }] } })
      } else call.write({ error_response: { error_code: 5, error_message: `${name ?? symbol} not found` } })
    })
    call.on('end', () => call.end())
  }
  server.addService(
    {
      ServerReflectionInfo: {
        path: `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
        requestStream: true,
        responseStream: true,
        requestSerialize: (question: object) => Buffer.from(request.encode(question).finish()),
        requestDeserialize: (bytes: Buffer) => request.toObject(request.decode(bytes)) as Record<string, string>,
        responseSerialize: (answered: object) => Buffer.from(response.encode(response.fromObject(answered)).finish()),
        responseDeserialize: (bytes: Buffer) => response.decode(bytes),
      },
    },
    { ServerReflectionInfo: answer } as UntypedServiceImplementation,
  )
}
