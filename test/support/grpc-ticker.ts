import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import type { Metadata } from '@grpc/grpc-js'
import { type handleServerStreamingCall, Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js'
import protobuf from 'protobufjs'
import { addReflection, descriptorFiles } from './grpc-reflection-service.ts'

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
