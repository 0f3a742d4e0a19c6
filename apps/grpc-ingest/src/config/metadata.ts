import type { IncomingHttpHeaders } from 'node:http2'
import { KeyValueListError, parseKeyValueList } from '@tributary/config'
import type { ConfigError, Header } from '@tributary/connect-api'
import { METADATA_PREFIX } from './spec.ts'
import { grpcErrors } from '../errors.ts'

/** The HTTP/2 headers of a call. The value of a name that ends in `-bin` is base64. */
export type Metadata = Readonly<Record<string, string>>

/** Names that HTTP/2 or gRPC reserve (RFC 9113 section 8.2.2; PROTOCOL-HTTP2, "Requests"). */
const RESERVED =
  /^(?:grpc-.*|te|content-type|content-length|host|connection|keep-alive|proxy-connection|transfer-encoding|upgrade|user-agent)$/
const NAME = /^[0-9a-z_.-]+$/
/** gRPC's ASCII-Value. */
const ASCII_VALUE = /^[\x20-\x7e]*$/
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/

/**
 * The metadata of a call: the entries of `grpc.metadata` (`name:value,name:value`), overridden by
 * `grpc.metadata.<name>`. Throws ConfigError on the field; its text never contains a value.
 */
export function requestMetadata(list: string | null, single: Readonly<Record<string, string>>): Metadata {
  const metadata = new Map<string, string>()
  const add = (name: string, value: string, field: string): void => {
    const lower = name.trim().toLowerCase()
    metadata.set(lower, checkedValue(lower, value.trim(), field))
  }
  for (const [name, value] of entries(list ?? '')) add(name, value, 'grpc.metadata')
  for (const [name, value] of Object.entries(single)) add(name, value, METADATA_PREFIX + name)
  return Object.fromEntries(metadata)
}

function entries(list: string): [string, string][] {
  try {
    return parseKeyValueList(list)
  } catch (error) {
    if (!(error instanceof KeyValueListError)) throw error
    throw invalid(`${error.message}; it has the form name:value,name:value`, 'grpc.metadata')
  }
}

function checkedValue(name: string, value: string, field: string): string {
  if (!NAME.test(name)) {
    throw invalid(`'${name}' is no metadata name; letters, digits, '-', '_' and '.' are allowed`, field)
  }
  if (RESERVED.test(name)) throw invalid(`'${name}' is reserved for gRPC and HTTP/2`, field)
  if (!name.endsWith('-bin')) {
    if (ASCII_VALUE.test(value)) return value
    throw invalid(
      `the value of '${name}' has characters outside printable ASCII; use a name that ends in -bin, with base64`,
      field,
    )
  }
  if (!value.split(',').every((part) => BASE64.test(part.trim())))
    throw invalid(`the value of '${name}' is not base64, as names that end in -bin need`, field)
  return binaryValues(value)
    .map((bytes) => bytes.toString('base64'))
    .join(',')
}

function invalid(reason: string, field: string): ConfigError {
  return grpcErrors.GRPC_METADATA(`Invalid metadata: ${reason}`, { field })
}

const TRACE_CONTEXT = ['traceparent', 'tracestate']

/**
 * The values of a name that ends in `-bin`. Several values may be joined with commas, and Node joins them so
 * (PROTOCOL-HTTP2, "Requests": Binary-Header).
 */
function binaryValues(text: string): Buffer[] {
  return text.split(',').map((value) => Buffer.from(value.trim(), 'base64'))
}

/** The response headers that become headers of records: `names`, and the trace context. */
export function recordHeaderNames(names: readonly string[]): ReadonlySet<string> {
  return new Set([...TRACE_CONTEXT, ...names.map((n) => n.trim().toLowerCase())])
}

/** The headers of each record of a stream: the trace context of the response, and the response headers in `names`. */
export function recordHeaders(response: IncomingHttpHeaders, names: readonly string[]): readonly Header[] | undefined {
  const headers: Header[] = []
  for (const name of recordHeaderNames(names)) {
    const value = response[name]
    if (value === undefined) continue
    const text = Array.isArray(value) ? value.join(',') : value
    if (!name.endsWith('-bin')) headers.push({ name, value: text })
    else for (const one of binaryValues(text)) headers.push({ name, value: one })
  }
  return headers.length > 0 ? headers : undefined
}
