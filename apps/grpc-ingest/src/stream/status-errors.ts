import { ConfigError, type ConnectError, NotConnectedError } from '@tributary/connect-api'
import type { GrpcStatus } from '../transport/index.ts'

/** Tries in a row that a server may refuse the credentials: a token that is renewed in the meantime heals it. */
const DENIED_TRIES = 3

/**
 * What the end of a stream means: the kinds of error of gRPC's statuses. A server that ends its stream, even with OK,
 * is connected again; what a second try cannot heal is an error of the configuration, in the server's words.
 */
export class Statuses {
  /** `host:port service/method`, for the texts. */
  readonly #stream: string
  #denied = 0

  constructor(stream: string) {
    this.#stream = stream
  }

  /** The stream has brought something: earlier refusals are forgotten. */
  healthy(): void {
    this.#denied = 0
  }

  /** The error that a stream's end is. Counts refusals. */
  errorOf(status: GrpcStatus): ConnectError {
    const words = `${status.status}${status.message === '' ? '' : `: ${status.message}`}`
    if (status.tooLarge) {
      return new ConfigError(
        'GRPC_MESSAGE_TOO_LARGE',
        `Stream ${this.#stream} ended, ${words}. Raise grpc.max.inbound.message.size; reading on would lose the message`,
        { field: 'grpc.max.inbound.message.size' },
      )
    }
    switch (status.status) {
      case 'OK':
        return new NotConnectedError('GRPC_STREAM_ENDED', `The server ended the stream ${this.#stream} (OK)`)
      case 'UNIMPLEMENTED':
        return new ConfigError('GRPC_REFUSED', `The server does not know ${this.#stream}, it answered ${words}`, {
          field: 'grpc.method.name',
        })
      case 'INVALID_ARGUMENT':
        return new ConfigError(
          'GRPC_REFUSED',
          `The server refuses the request of ${this.#stream}, it answered ${words}`,
          {
            field: 'grpc.request.message',
          },
        )
      case 'UNAUTHENTICATED':
      case 'PERMISSION_DENIED':
        this.#denied++
        if (this.#denied < DENIED_TRIES) break
        return new ConfigError(
          'GRPC_REFUSED',
          `The server refused the credentials for ${this.#stream} ${this.#denied} times in a row, it answered ${words}`,
          { field: 'grpc.metadata' },
        )
      default:
        break
    }
    return new NotConnectedError('GRPC_STREAM_FAILED', `Stream ${this.#stream} ended with ${words}`)
  }
}
