import type { MessageType, Root } from './model.ts'
import { grpcErrors } from '../../errors.ts'

/** A server-streaming or bidirectional method, with the data to call it. */
export interface StreamMethod {
  /** `/pkg.Service/Method`, the HTTP/2 path. */
  readonly path: string
  /** The client sends a stream too, which has to stay open: a server may take its end for the end of the call. */
  readonly clientStreaming: boolean
  readonly requestType: MessageType
  readonly responseType: MessageType
}

/**
 * Finds a method by the full name of its service and its short name; both are case-sensitive. Throws ConfigError on
 * `grpc.service.name` or `grpc.method.name`, with the names that exist.
 */
export function resolveMethod(root: Root, serviceName: string, methodName: string): StreamMethod {
  const service = root.services.get(serviceName)
  if (!service) {
    throw grpcErrors.GRPC_SERVICE_UNKNOWN(
      `Failed to load proto descriptor: Service not found in descriptor: ${serviceName}. ${listed('It has', root.services.keys())}`,
      { field: 'grpc.service.name' },
    )
  }
  const method = service.methods.get(methodName)
  if (!method) {
    throw grpcErrors.GRPC_METHOD_UNKNOWN(
      `Failed to load proto descriptor: Method not found in service: ${methodName}. ${listed(`${serviceName} has`, service.methods.keys())}`,
      { field: 'grpc.method.name' },
    )
  }
  if (!method.serverStreaming) {
    const kind = method.clientStreaming ? 'client streaming' : 'unary'
    const usable = [...service.methods.values()].filter((m) => m.serverStreaming).map((m) => m.name)
    throw grpcErrors.GRPC_METHOD_NOT_STREAMING(
      `Method ${methodName} of ${serviceName} is ${kind}; only a method that streams its responses ` +
        `can be read. ${listed('Such methods of the service', usable)}`,
      { field: 'grpc.method.name' },
    )
  }
  return {
    path: `/${serviceName}/${methodName}`,
    clientStreaming: method.clientStreaming,
    requestType: method.requestType,
    responseType: method.responseType,
  }
}

/** `It has: a, b.`, cut after 20 names. */
export function listed(head: string, names: Iterable<string>): string {
  const all = [...names].sort()
  if (all.length === 0) return `${head}: none.`
  const rest = all.length > 20 ? ` and ${all.length - 20} more` : ''
  return `${head}: ${all.slice(0, 20).join(', ')}${rest}.`
}
