import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import {
  type Metadata,
  type handleServerStreamingCall,
  Server,
  ServerCredentials,
  type ServerWritableStream,
  type handleBidiStreamingCall,
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
  /** Answers a Watch. `stream` counts from 1. */
  readonly watch: (call: WatchCall, stream: number) => void | Promise<void>
  readonly credentials?: ServerCredentials
  /** The version of reflection that the server offers; default: none. */
  readonly reflection?: 'v1' | 'v1alpha'
  /** 0 (default): a free port. */
  readonly port?: number
}

export interface Ticker {
  readonly port: number
  readonly requests: readonly WatchRequest[]
  readonly metadata: readonly Metadata[]
  /** Ticks handed to the transport. */
  written: number
  /** Cuts all connections and frees the port. */
  stop(): void
}

const schema = new protobuf.Root()
schema.addJSON(protobuf.common.get('google/protobuf/timestamp.proto')!.nested!)
protobuf.parse(readFileSync(fixture('proto/ticker.proto'), 'utf8'), schema, { keepCase: true })
const requestType = schema.lookupType('ticker.v1.WatchRequest')
const tickType = schema.lookupType('ticker.v1.Tick')

/** `malformed` is sent unchanged. */
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
    // A call that the client has ended cannot be written to, and nobody waits for its end.
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
        responseDeserialize: (bytes: Buffer) => tickType.decode(bytes),
      },
    },
    { Watch: watch },
  )
  if (options.reflection) addReflection(server, options.reflection, descriptorFiles([fixture('ticker.desc')]))
  const bind = promisify(server.bindAsync.bind(server))
  ticker.port = await bind(`127.0.0.1:${options.port ?? 0}`, options.credentials ?? ServerCredentials.createInsecure())
  return ticker
}

/** Writes the ticks `from`…`to`, and waits whenever the client's window is full. Stops when the client is gone. */
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

/** Ends a call like a server that fails. */
export function fail(call: WatchCall, code: number, details: string): void {
  call.emit('error', { code, details })
}

interface FileDescriptor {
  readonly name: string
  readonly package: string
  readonly service?: readonly { readonly name: string }[]
}

type Question = Readonly<Record<string, string | undefined>>

/** The files of descriptor sets from protoc. */
export function descriptorFiles(paths: readonly string[]): FileDescriptor[] {
  return paths.flatMap((path) => {
    const set = descriptor.FileDescriptorSet.decode(readFileSync(path))
    return (set as unknown as { file: FileDescriptor[] }).file
  })
}

/** Adds server reflection to a grpc-js server. It answers for the files as grpc's own reflection services do. */
export function addReflection(server: Server, version: 'v1' | 'v1alpha', files: readonly FileDescriptor[]): void {
  const schema = new protobuf.Root()
  const source = new URL('../../apps/demo-feed/proto/reflection.proto', import.meta.url)
  protobuf.parse(readFileSync(source, 'utf8'), schema, { keepCase: true })
  const request = schema.lookupType('grpc.reflection.v1.ServerReflectionRequest')
  const response = schema.lookupType('grpc.reflection.v1.ServerReflectionResponse')
  const servicesOf = (file: FileDescriptor): string[] => (file.service ?? []).map((s) => `${file.package}.${s.name}`)

  const answer: handleBidiStreamingCall<Question, object> = (call) => {
    call.on('data', (question: Question) => {
      const { file_by_filename: name, file_containing_symbol: symbol, list_services: list } = question
      const file = files.find((f) => f.name === name || servicesOf(f).includes(symbol ?? ''))
      if (file) {
        const bytes = descriptor.FileDescriptorProto.encode(file).finish()
        call.write({ file_descriptor_response: { file_descriptor_proto: [bytes] } })
      } else if (list !== undefined) {
        call.write({ list_services_response: { service: files.flatMap(servicesOf).map((s) => ({ name: s })) } })
      } else call.write({ error_response: { error_code: 5, error_message: `${name ?? symbol} not found` } })
    })
    call.on('end', () => call.end())
  }
  const method = {
    path: `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
    requestStream: true,
    responseStream: true,
    requestSerialize: (question: object) => Buffer.from(request.encode(question).finish()),
    requestDeserialize: (bytes: Buffer) => request.toObject(request.decode(bytes)) as Question,
    responseSerialize: (answered: object) => Buffer.from(response.encode(response.fromObject(answered)).finish()),
    responseDeserialize: (bytes: Buffer) => response.decode(bytes),
  }
  server.addService({ ServerReflectionInfo: method }, { ServerReflectionInfo: answer })
}
