import type { ConnectError } from '@tributary/connect-api'
import { type ConnectionLife, Refusals } from '@tributary/push-source'
import type { GrpcStatus } from '../transport/index.ts'
import { grpcErrors } from '../errors.ts'

/**
 * Turns the status at the end of a stream into an error of its kind. A stream that its server ended, even with OK, is
 * opened again. A status that a second try cannot heal is an error of the configuration, with the message of the
 * server. A status that no gRPC server sent says nothing about the configuration: a proxy may answer so for a while.
 */
export class StatusErrors {
  /** `host:port service/method`, for the messages. */
  readonly #stream: string
  readonly #refusals: Refusals
  readonly #denied: () => void
  readonly #foreign: (body: string) => void

  /** `healthyMs`: a stream that lasted so long was healthy. `denied` is called at each UNAUTHENTICATED, `foreign` with bodies of answers that are not gRPC. */
  constructor(
    stream: string,
    healthyMs: number,
    denied: () => void = () => {},
    foreign: (body: string) => void = () => {},
  ) {
    this.#stream = stream
    this.#refusals = new Refusals(healthyMs)
    this.#denied = denied
    this.#foreign = foreign
  }

  /** The stream has delivered a message: forgets earlier refusals. */
  healthy(): void {
    this.#refusals.accepted()
  }

  /** The error for the end of a stream. Counts refusals. `life`: of the stream; absent: of a call that is none. */
  errorOf(status: GrpcStatus, life?: ConnectionLife): ConnectError {
    const { body, retryAfterMs } = status
    if (body !== undefined && body !== '') this.#foreign(body)
    if (status.status === 'UNAUTHENTICATED') this.#denied()
    const words = `${status.status}${status.message === '' ? '' : `: ${status.message}`}`
    if (status.tooLarge) {
      return grpcErrors.GRPC_MESSAGE_TOO_LARGE(
        `Stream ${this.#stream} ended, ${words}. Raise grpc.max.inbound.message.size; reading on would lose the message`,
        { field: 'grpc.max.inbound.message.size' },
      )
    }
    switch (status.local ? null : status.status) {
      case 'OK':
        return grpcErrors.GRPC_STREAM_ENDED(`The server ended the stream ${this.#stream} (OK)`, {
          retryAfterMs,
          readToEnd: life?.heard ?? false,
        })
      case 'UNIMPLEMENTED':
        return grpcErrors.GRPC_REFUSED(`The server does not know ${this.#stream}, it answered ${words}`, {
          field: 'grpc.method.name',
        })
      case 'INVALID_ARGUMENT':
        return grpcErrors.GRPC_REFUSED(`The server refuses the request of ${this.#stream}, it answered ${words}`, {
          field: 'grpc.request.message',
        })
      case 'UNAUTHENTICATED':
      case 'PERMISSION_DENIED':
        if (!this.#refusals.refused(life)) break
        return grpcErrors.GRPC_REFUSED(
          `The server refused the credentials for ${this.#stream} ${this.#refusals.inARow} times in a row, it answered ${words}`,
          { field: 'grpc.metadata' },
        )
      default:
        break
    }
    return grpcErrors.GRPC_STREAM_FAILED(`Stream ${this.#stream} ended with ${words}`, { retryAfterMs })
  }
}
