import { randomUUID } from 'node:crypto'
import type { Step } from '../both-sides.ts'

/** Options of a step besides its request. */
export type Shows = Pick<Step, 'differs' | 'lenient' | 'headers'>

export const JSON_TYPE = { 'content-type': 'application/json' }
export const TEXT_TYPE = { 'content-type': 'text/plain' }

/** The config of a connector that reads nothing. */
export const CONFIG = { 'connector.class': 'FileStreamSource', topic: `t-${randomUUID()}`, file: '/dev/null' }

export const FILE_SOURCE = 'org.apache.kafka.connect.file.FileStreamSourceConnector'

export function get(path: string, shows?: Shows): Step {
  return { method: 'GET', path, ...shows }
}

export function post(path: string, body?: unknown, shows?: Shows): Step {
  return { method: 'POST', path, ...bodyOf(body), ...shows }
}

export function put(path: string, body?: unknown, shows?: Shows): Step {
  return { method: 'PUT', path, ...bodyOf(body), ...shows }
}

export function patch(path: string, body?: unknown, shows?: Shows): Step {
  return { method: 'PATCH', path, ...bodyOf(body), ...shows }
}

export function remove(path: string, shows?: Shows): Step {
  return { method: 'DELETE', path, ...shows }
}

/** `POST /connectors` */
export function create(body: unknown, shows?: Shows): Step {
  return post('/connectors', body, shows)
}

/** Validates a config with the file source. By default our answer has additional framework settings. */
export function validate(body: unknown, shows?: Shows): Step {
  return put('/connector-plugins/FileStreamSource/config/validate', body, shows ?? { lenient: 'moreKeys' })
}

export function without(key: keyof typeof CONFIG): Record<string, string> {
  return Object.fromEntries(Object.entries(CONFIG).filter(([name]) => name !== key))
}

function bodyOf(body: unknown): { body?: unknown } {
  return body === undefined ? {} : { body }
}
