import { builtGo } from '@tributary/harness'
import { type Child, startProgram, startScript } from '../support/child.ts'

/** What one stream sends: the fields of bench.Request in grpc/feed.proto. */
export interface Feed {
  /** Messages. */
  readonly count: number
  /** Messages a second; 0 or nothing: as fast as the receiver takes them. */
  readonly rate?: number
  /** Sequence of the first message. */
  readonly from?: number
  /** Number of the stream, which is a part of its messages. */
  readonly stream?: number
  /** Silence after `count` messages, and the messages after the silence. */
  readonly idleMs?: number
  readonly again?: number
  /** WebSocket only: binary messages. */
  readonly as?: 'binary'
}

/** Ports of the gRPC server, and of the HTTP server with WebSocket and Server-Sent Events. */
export interface Ports {
  readonly grpc: string
  readonly http: string
}

export interface Source extends Ports {
  readonly process: Child
}

/** The servers on grpc-go, gorilla/websocket and Go's net/http. `args` are their flags. */
export async function startSource(...args: string[]): Promise<Source> {
  const child = startProgram(await builtGo(new URL('../bench-source/', import.meta.url)), args)
  return { process: child, grpc: await child.value('grpc'), http: await child.value('http') }
}

/** A source of ours that packs many messages into each write, at full speed only. */
export async function startPacked(protocol: 'grpc' | 'ws', count: number): Promise<Source> {
  const child = startScript(`${protocol}/packed-source.ts`, [String(count)])
  const port = await child.value('port')
  return { process: child, grpc: port, http: port }
}
