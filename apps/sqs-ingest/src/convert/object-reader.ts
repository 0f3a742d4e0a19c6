import type { Readable } from 'node:stream'
import type { GetObjectCommandOutput, S3Client } from '@aws-sdk/client-s3'
import { anySignal } from '@tributary/async'
import { ConnectError } from '@tributary/connect-api'
import { awsFailure } from '../aws/failure.ts'
import { sqsErrors } from '../errors.ts'
import { addressOf, type ObjectRef } from './pointer.ts'

/** Longest time for one object, in ms. S3 delivers 16 MiB within a second or two; a connection that hangs is given up. */
const OBJECT_MS = 60_000

/**
 * So many objects that are refused in a row, without one in between that may be read, mean that the role lacks the permission. Fewer
 * may be single objects: of another account, encrypted, or gone (S3 answers 403 to who may not list the bucket). An object that is
 * tried again counts once.
 */
const MAX_REFUSED = 10

/** Reads objects of S3 with a bound. */
export class ObjectReader {
  readonly #s3: () => Promise<S3Client>
  readonly #maxBytes: number
  readonly #objectMs: number
  readonly #refused = new Set<string>()

  constructor(s3: () => Promise<S3Client>, maxBytes: number, objectMs = OBJECT_MS) {
    this.#s3 = s3
    this.#maxBytes = maxBytes
    this.#objectMs = objectMs
  }

  /**
   * The bytes of an object. Throws DataError for an object that is missing, forbidden, archived or too large, RetriableError for an
   * outage of S3, ConfigError when credentials, region or permission are wrong, and the signal's reason.
   */
  async read(ref: ObjectRef, signal: AbortSignal): Promise<Buffer> {
    const gaveUp = new AbortController()
    const late = AbortSignal.timeout(this.#objectMs)
    try {
      const [client, { GetObjectCommand }] = await Promise.all([this.#s3(), import('@aws-sdk/client-s3')])
      const { bucket: Bucket, key: Key, versionId: VersionId } = ref
      const answer = await client.send(new GetObjectCommand({ Bucket, Key, VersionId }), {
        abortSignal: anySignal(signal, late, gaveUp.signal),
      })
      this.#refused.clear()
      return await this.#content(answer, ref)
    } catch (error) {
      // Without this the rest of the object would stay on its connection.
      gaveUp.abort()
      throw this.#failure(error, ref, signal, late)
    }
  }

  async #content({ ContentLength, Body }: GetObjectCommandOutput, ref: ObjectRef): Promise<Buffer> {
    if ((ContentLength ?? 0) > this.#maxBytes) throw this.#tooLarge(ref, `${ContentLength} bytes`)
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of (Body ?? []) as Readable | []) {
      const data = chunk as Buffer
      bytes += data.length
      if (bytes > this.#maxBytes) throw this.#tooLarge(ref, 'more bytes than it announced')
      chunks.push(data)
    }
    // A connection that ends early is no error of Node's stream in each case.
    if (ContentLength !== undefined && bytes !== ContentLength) {
      throw sqsErrors.SQS_OBJECT_INCOMPLETE(
        `S3 sent ${bytes} of the ${ContentLength} bytes of ${addressOf(ref)}; the message is tried again`,
      )
    }
    return Buffer.concat(chunks, bytes)
  }

  #tooLarge(ref: ObjectRef, size: string): ConnectError {
    return sqsErrors.SQS_CLAIM_CHECK(
      `${addressOf(ref)} has ${size}; message.claimcheck.max.bytes allows ${this.#maxBytes}`,
    )
  }

  #failure(error: unknown, ref: ObjectRef, signal: AbortSignal, late: AbortSignal): unknown {
    if (signal.aborted) return signal.reason
    if (late.aborted) {
      return sqsErrors.SQS_OBJECT_INCOMPLETE(
        `S3 did not deliver ${addressOf(ref)} within ${this.#objectMs} ms; the message is tried again`,
        { cause: error },
      )
    }
    if (error instanceof ConnectError) return error
    const failure = awsFailure(error, {
      what: 'read the object',
      of: addressOf(ref),
      permission: 's3:GetObject',
      service: 's3',
    })
    if (failure.kind !== 'data' || statusOf(error) !== 403) return failure
    if (this.#refused.add(addressOf(ref)).size < MAX_REFUSED) return failure
    return sqsErrors.SQS_DENIED(
      `S3 refused ${this.#refused.size} objects in a row, the last one ${addressOf(ref)}: grant s3:GetObject, and kms:Decrypt for encrypted objects, to the user or role`,
      { cause: error },
    )
  }
}

function statusOf(error: unknown): number | undefined {
  return (error as { readonly $metadata?: { readonly httpStatusCode?: number } } | null)?.$metadata?.httpStatusCode
}
