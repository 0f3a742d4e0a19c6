import { createHash } from 'node:crypto'
import type { OffsetEntry, SourceOffset } from '@tributary/connect-api'
import { methodOf, serverOf } from '../config/settings.ts'
import type { GrpcConfig } from '../config/spec.ts'
import { grpcErrors } from '../errors.ts'
import type { RecordBuilder } from '../records/record-builder.ts'
import type { GrpcStatus } from '../transport/index.ts'

/** The stream has ended with OK, and `grpc.on.completion` is `stop`: no outage, and nothing more to read. */
export class StreamCompleted extends Error {}

/** What the end of a stream with OK leads to (`grpc.on.completion`); null for any other end, and if the stream is opened again. */
export function completedError(status: GrpcStatus, config: GrpcConfig): Error | null {
  const wish = config['grpc.on.completion']
  if (status.status !== 'OK' || wish === 'reconnect') return null
  if (wish === 'stop') return new StreamCompleted()
  return grpcErrors.GRPC_COMPLETED(
    `The server ended the stream ${serverOf(config)} ${methodOf(config)} (OK), and grpc.on.completion is fail. Restart the task to read the stream again`,
    { field: 'grpc.on.completion' },
  )
}

/**
 * Whether the stream has been read to its end for good (`grpc.on.completion=stop`). The source offset keeps the request whose stream
 * has ended, as a digest: after a restart the same request is not sent again, while another request is.
 */
export class Completion {
  readonly #stops: boolean
  readonly #stream: string
  readonly #request: string
  #done = false
  /** The end is not in the source offset yet. */
  #unsaved = false

  constructor(config: GrpcConfig, committed: SourceOffset | null) {
    this.#stops = config['grpc.on.completion'] === 'stop'
    this.#stream = `${serverOf(config)} ${methodOf(config)}`
    this.#request = createHash('sha256').update(config['grpc.request.message']).digest('hex').slice(0, 16)
    this.restore(committed)
  }

  /** Nothing more is to be read. */
  get done(): boolean {
    return this.#done
  }

  /** The sentence for health; null while the stream may go on. */
  get words(): string | null {
    return this.#done
      ? `Completed: the server ended the stream ${this.#stream} with OK, and grpc.on.completion is stop. Delete the connector's offsets to read it again.`
      : null
  }

  /** Takes over what the last run committed. */
  restore(committed: SourceOffset | null): void {
    if (this.#stops && committed?.['completed'] === this.#request) this.#done = true
  }

  /** Every message before the end has been returned. */
  reached(): void {
    this.#done = true
    this.#unsaved = true
  }

  /** The position after the last message, with the end of the stream, once; null otherwise. */
  position({ position: { partition, offset } }: Pick<RecordBuilder, 'position'>): OffsetEntry | null {
    if (!this.#unsaved) return null
    this.#unsaved = false
    return { partition, offset: { ...offset, completed: this.#request } }
  }
}
