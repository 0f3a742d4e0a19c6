/** An object of S3 that a message names. */
export interface ObjectRef {
  readonly bucket: string
  readonly key: string
  /** The version, for a bucket that keeps versions; absent: the newest. */
  readonly versionId?: string
}

/** No pointer is longer: a bucket has 63 characters at most, a key 1024 bytes. */
export const MAX_POINTER_CHARS = 8192

/** Text that begins like the address of an object and is none. */
export class PointerError extends Error {}

/**
 * The object that a text names: `s3://bucket/key`, with `?versionId=` behind it or not, also in quotes, or the body that Amazon's
 * extended client library for SQS and SNS writes. Null: the text names none. Throws PointerError.
 */
export function pointerIn(text: string): ObjectRef | null {
  const trimmed = text.trim()
  if (trimmed.startsWith('s3://')) return addressed(trimmed)
  if (trimmed.startsWith('"s3://') && trimmed.length <= MAX_POINTER_CHARS) {
    const quoted = parsed(trimmed)
    return typeof quoted === 'string' ? addressed(quoted) : null
  }
  return trimmed.length <= MAX_POINTER_CHARS && EXTENDED.test(trimmed) ? extended(parsed(trimmed)) : null
}

export function addressOf({ bucket, key, versionId }: ObjectRef): string {
  return `s3://${bucket}/${key}${versionId === undefined ? '' : `?versionId=${versionId}`}`
}

/** The class names of the pointer since version 2 of the library, and before. */
const EXTENDED =
  /^\[\s*"(?:software\.amazon\.payloadoffloading\.PayloadS3Pointer|com\.amazon\.sqs\.javamessaging\.MessageS3Pointer)"/

function extended(value: unknown): ObjectRef | null {
  if (!Array.isArray(value) || value.length !== 2) return null
  const { s3BucketName, s3Key } = (value[1] ?? {}) as { readonly s3BucketName?: unknown; readonly s3Key?: unknown }
  if (typeof s3BucketName === 'string' && typeof s3Key === 'string' && s3BucketName !== '' && s3Key !== '') {
    return { bucket: s3BucketName, key: s3Key }
  }
  throw new PointerError('the pointer of the extended client has no s3BucketName or no s3Key')
}

const ADDRESS = /^s3:\/\/([^/]+)\/(.+?)(?:\?versionId=([^&?]+))?$/s
const SHOWN_CHARS = 200

function addressed(uri: string): ObjectRef {
  const [, bucket, key, versionId] = ADDRESS.exec(uri.slice(0, MAX_POINTER_CHARS)) ?? []
  if (bucket === undefined || key === undefined || uri.length > MAX_POINTER_CHARS) {
    throw new PointerError(`Invalid S3 URI format: ${uri.slice(0, SHOWN_CHARS)}. Expected format: s3://bucket/key`)
  }
  return versionId === undefined ? { bucket, key } : { bucket, key, versionId }
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
