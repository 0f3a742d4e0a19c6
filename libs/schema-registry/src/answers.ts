import { schemaRegistryErrors } from './errors.ts'
import type { HttpAnswer } from './transport.ts'

export interface Asked {
  /** What fails when the request does; begins the text of errors. */
  readonly what: string
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: string
}

/** Longest text of a registry in an error: a compatibility report names every difference. */
const MAX_WORDS = 2000

/** Node's error codes for untrusted certificates (tls, "X509 certificate error codes"). */
const UNTRUSTED = /CERT|SIGNATURE|SELF_SIGNED|CRL|HOSTNAME_MISMATCH/

export function untrusted(error: unknown): boolean {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' && UNTRUSTED.test(code)
}

/** Node's error codes for a header with a name or characters that HTTP does not allow. */
const UNSENDABLE: readonly unknown[] = ['ERR_INVALID_CHAR', 'ERR_INVALID_HTTP_TOKEN']

export function isUnsendable(error: unknown): error is Error {
  return error instanceof Error && UNSENDABLE.includes((error as { code?: unknown }).code)
}

/** Whether the registry, or a proxy before it, cannot serve now. */
export function isOutage(status: number): boolean {
  return status >= 500 || status === 408 || status === 425 || status === 429
}

export function unavailable(what: string, reasons: readonly string[]): Error {
  return schemaRegistryErrors.SCHEMA_REGISTRY_UNAVAILABLE(
    `${what}: Schema registry not available: ${reasons.join('; ')}`,
  )
}

/** The JSON of a good answer. Throws what a bad one means: DataError or ConfigError. */
export function answered(url: URL, { what }: Asked, { status, text }: HttpAnswer): Readonly<Record<string, unknown>> {
  const json = objectOf(text)
  if (status === 200 && json !== null) return json
  if (status === 200 && text.trimStart().startsWith('{'))
    throw unavailable(what, [`${url.host} answered half a JSON object`])
  const { error_code: code, message } = json ?? {}
  const words = typeof message === 'string' ? message.slice(0, MAX_WORDS) : ''
  if (status === 401 || status === 403) {
    throw schemaRegistryErrors.SCHEMA_REGISTRY_REFUSED(
      `${what}: the registry ${url.host} answered ${status}${words === '' ? '' : `, ${words}`}; see basic.auth.* and bearer.auth.* of the converter`,
    )
  }
  const known = typeof code === 'number' && words !== ''
  // Confluent's registry answers so for a path that it does not serve: the URL is wrong, and no schema is missing.
  const isPath = code === 404 && words.startsWith('HTTP 404')
  // 42205: the subject is read-only.
  if (known && code !== 42_205 && !isPath) {
    if (status === 404) throw schemaRegistryErrors.SCHEMA_NOT_FOUND(`${what}: ${words} (error code ${code})`)
    if (status === 400 || status === 409 || status === 422) {
      throw schemaRegistryErrors.SCHEMA_REFUSED(`${what}: ${words} (error code ${code})`)
    }
  }
  throw schemaRegistryErrors.SCHEMA_REGISTRY_REFUSED(
    known && !isPath
      ? `${what}: the registry ${url.host} answered ${status}: ${words} (error code ${code})`
      : `${what}: ${url.origin}${url.pathname} answered ${status} and no JSON of a schema registry; is schema.registry.url right?`,
  )
}

function objectOf(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const json = JSON.parse(text) as unknown
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : null
  } catch {
    return null
  }
}
