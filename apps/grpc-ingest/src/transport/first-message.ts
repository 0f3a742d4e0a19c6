import { messagesIn } from './message-run.ts'
import type { CallOptions, GrpcSession } from './session.ts'
import { type GrpcStatus, localStatus, type StatusName } from './status.ts'

/** A call that was to deliver a message ended without one. */
export class CallError extends Error {
  readonly status: StatusName
  readonly ended: GrpcStatus

  constructor(path: string, ended: GrpcStatus) {
    super(`${path} ended with ${ended.status}: ${ended.message}`)
    this.name = 'CallError'
    this.status = ended.status
    this.ended = ended
  }

  /** The transport made the status, or a proxy did: the server has not seen the call, perhaps. */
  get local(): boolean {
    return this.ended.local
  }
}

/** Calls a method and resolves to its first response. Rejects with CallError, or with the reason of the signal. */
export function firstMessage(session: GrpcSession, options: CallOptions, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const abort = (): void => {
      reject(signal.reason as Error)
      call.abandon()
    }
    const call = session.call(options, {
      onHeaders: () => {},
      onMessages: (messages) => {
        resolve(messagesIn(messages)[0]!)
        call.finish(localStatus('CANCELLED', 'one message is enough'))
      },
      onEnd: (status) => {
        signal.removeEventListener('abort', abort)
        reject(new CallError(options.path, status))
      },
    })
    signal.addEventListener('abort', abort, { once: true })
  })
}
