import {
  type CallOptions,
  type GrpcStatus,
  messagesIn,
  openSession,
  type SessionOptions,
} from '../../apps/grpc-ingest/src/transport/index.ts'

export interface CallOutcome {
  readonly messages: readonly string[]
  readonly status: GrpcStatus
  readonly answered: boolean
  readonly tooManyPings: boolean
}

/** The options of a plaintext session without PINGs. */
export function plainSession(port: number): SessionOptions {
  const none = { tls: null, connectTimeoutMs: 5000, keepaliveTimeMs: 0, keepaliveTimeoutMs: 1000 }
  return { host: '127.0.0.1', port, ...none }
}

/** `pause`: the call stops reading at the headers, as a full queue does. */
export type CallOnceOptions = Partial<CallOptions> & { readonly pause?: boolean }

/** Calls `/a.B/C` at a port of this machine over plaintext, and reads the call to its end. */
export async function callOnce(port: number, { pause, ...more }: CallOnceOptions = {}): Promise<CallOutcome> {
  const session = await openSession(plainSession(port), new AbortController().signal)
  const messages: string[] = []
  let answered = false
  const status = await new Promise<GrpcStatus>((resolve) => {
    const request = { path: '/a.B/C', metadata: {}, message: Buffer.alloc(0), deadlineMs: 0, maxMessageBytes: 1000 }
    const call = session.call(
      { ...request, ...more },
      {
        onHeaders: () => {
          answered = true
          if (pause) call.pause()
        },
        onMessages: (came) => messages.push(...messagesIn(came).map(String)),
        onEnd: resolve,
      },
    )
  })
  session.close()
  return { messages, status, answered, tooManyPings: session.tooManyPings }
}
