import type { FastifyInstance } from 'fastify'
import type { Listener } from './listener.ts'
import { type Method, type Operation, resource } from './resource.ts'

/** The second path of each resource of the operators' API. */
export const API_PREFIX = '/api/v1'

export interface OperatorResourceOptions {
  /** The only port that has the resource. Absent: both. */
  readonly listener?: Listener
}

/**
 * Adds a resource of the operators' API under `path` and `/api/v1` + `path`. Its bodies are read as JSON whatever their
 * `Content-Type` says: `curl -d` calls every body a form, and runbooks do not say otherwise.
 */
export function operatorResource(
  app: FastifyInstance,
  path: string,
  operations: Partial<Record<Method, Operation>>,
  options: OperatorResourceOptions = {},
): void {
  for (const url of [path, `${API_PREFIX}${path}`]) resource(app, url, operations, { ...options, anyContentType: true })
}
