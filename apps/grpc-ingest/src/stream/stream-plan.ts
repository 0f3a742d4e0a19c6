import { createDecoder, type Decoder, needsResponseType } from '../records/decoder.ts'
import { type ResumeValue, valueToRequest } from '../records/resume.ts'
import {
  encodeRequest,
  type FieldSetter,
  loadDescriptorText,
  type MessageType,
  requestField,
  resolveMethod,
  type Root,
  type StreamMethod,
} from '../schema/index.ts'
import type { GrpcConfig } from '../config/spec.ts'
import { grpcErrors } from '../errors.ts'

/** How to request a stream and how to read it: everything that depends on the schema. */
export interface StreamPlan {
  /** `/package.Service/Method` */
  readonly path: string
  readonly decoder: Decoder
  /** null: without a schema */
  readonly root: Root | null
  /** The client's side stays open. */
  readonly keepOpen: boolean
  /** The message to send again and again; null: none. */
  readonly repeat: { readonly message: Uint8Array; readonly everyMs: number } | null
  /** The request that continues after `last`; null: from where the server begins. */
  request(last: ResumeValue | null): Uint8Array
}

/** Asks the server for its schema. */
export type Reflect = () => Promise<Root>

const EMPTY = new Uint8Array(0)

/**
 * Makes the plan from `grpc.proto.descriptor`, else by reflection; without any schema when no message has to be
 * decoded. Throws ConfigError on the wrong key, or NotConnectedError when the server cannot be asked.
 */
export async function planStream(config: GrpcConfig, reflect: Reflect): Promise<StreamPlan> {
  const service = config['grpc.service.name']
  const method = config['grpc.method.name']
  const root = await schemaOf(config, reflect)
  if (root) return planWith(config, root)
  return {
    path: `/${service}/${method}`,
    decoder: createDecoder(config, null),
    root,
    keepOpen: false,
    repeat: null,
    request: () => EMPTY,
  }
}

/** The plan for a schema. Throws ConfigError on the wrong key. */
export function planWith(config: GrpcConfig, root: Root): StreamPlan {
  return planMethod(config, root, resolveMethod(root, config['grpc.service.name'], config['grpc.method.name']))
}

/**
 * All errors that `planStream` would throw: ConfigErrors, each on its key, or the reason why the server could not be
 * asked.
 */
export async function checkPlan(config: GrpcConfig, reflect: Reflect, signal?: AbortSignal): Promise<unknown[]> {
  const errors: unknown[] = []
  const attempt = (check: () => void): void => {
    try {
      check()
    } catch (error) {
      errors.push(error)
    }
  }
  let method: StreamMethod
  let root: Root | null
  try {
    root = await schemaOf(config, reflect, signal)
    if (root === null) return []
    method = resolveMethod(root, config['grpc.service.name'], config['grpc.method.name'])
  } catch (error) {
    return [error]
  }
  attempt(() => requestOf(config, method.requestType))
  attempt(() => resumeSetter(config, method.requestType))
  attempt(() => repeatOf(config, method))
  for (const key of FIELD_KEYS) {
    const others = Object.fromEntries(FIELD_KEYS.filter((k) => k !== key).map((k) => [k, null]))
    attempt(() => createDecoder({ ...config, ...others }, method.responseType))
  }
  if (errors.length === 0) attempt(() => checkResume(config, planMethod(config, root, method)))
  return errors
}

const FIELD_KEYS = ['key.field', 'timestamp.field', 'grpc.resume.field', 'record.skip.match'] as const

async function schemaOf(config: GrpcConfig, reflect: Reflect, signal?: AbortSignal): Promise<Root | null> {
  const descriptor = config['grpc.proto.descriptor']?.trim()
  if (descriptor) return loadDescriptorText(descriptor, signal)
  const unread =
    isBlank(config['grpc.request.message']) &&
    config['grpc.resume.request.field'] === null &&
    config['grpc.request.repeat.ms'] === 0
  return unread && !needsResponseType(config) ? null : reflect()
}

function planMethod(config: GrpcConfig, root: Root, method: StreamMethod): StreamPlan {
  const base = requestOf(config, method.requestType)
  const set = resumeSetter(config, method.requestType)
  const next = config['grpc.resume.request.next']
  return {
    path: method.path,
    keepOpen: method.clientStreaming,
    repeat: repeatOf(config, method),
    decoder: createDecoder(config, method.responseType),
    root,
    request: (last) => (set === null || last === null ? base : set(base, valueToRequest(last, next))),
  }
}

function requestOf(config: GrpcConfig, type: MessageType): Uint8Array {
  const text = config['grpc.request.message']
  return isBlank(text) ? EMPTY : encodeRequest(type, text)
}

function repeatOf(config: GrpcConfig, { path, clientStreaming, requestType }: StreamMethod): StreamPlan['repeat'] {
  const everyMs = config['grpc.request.repeat.ms']
  const text = config['grpc.request.repeat.message']
  if (everyMs === 0) {
    if (text === null) return null
    throw grpcErrors.GRPC_REQUEST('grpc.request.repeat.message is never sent while grpc.request.repeat.ms is 0', {
      field: 'grpc.request.repeat.ms',
    })
  }
  if (!clientStreaming) {
    throw grpcErrors.GRPC_REQUEST(`${path} takes one request, so grpc.request.repeat.ms must be 0`, {
      field: 'grpc.request.repeat.ms',
    })
  }
  if (text === null) return { message: requestOf(config, requestType), everyMs }
  return { message: isBlank(text) ? EMPTY : encodeRequest(requestType, text, 'grpc.request.repeat.message'), everyMs }
}

function resumeSetter(config: GrpcConfig, type: MessageType): FieldSetter | null {
  const path = config['grpc.resume.request.field']
  return path === null ? null : requestField(type, path, 'grpc.resume.request.field')
}

/** An unset field reads as its zero value, which shows the kind of its values. */
function checkResume(config: GrpcConfig, plan: StreamPlan): void {
  const zero = plan.decoder.resume?.(EMPTY)
  if (typeof zero === 'bigint') plan.request(zero)
  if (typeof zero !== 'string' || !config['grpc.resume.request.next']) return
  throw grpcErrors.GRPC_RESUME_NEXT(
    `Invalid value true for configuration grpc.resume.request.next: ${config['grpc.resume.field']} is no number, so there is no value after it`,
    { field: 'grpc.resume.request.next' },
  )
}

/** Whether the request is blank or `{}`: nothing is set. */
function isBlank(json: string): boolean {
  return /^\s*(?:\{\s*\})?\s*$/.test(json)
}
