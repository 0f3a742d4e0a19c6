import { parseJson } from '@tributary/config'
import type { TargetState } from '@tributary/connect-storage'
import { restError } from './rest-errors.ts'

/** A configuration as a client sent it. PUT and POST refuse a null; PATCH removes the key of a null. */
export type SentConfig = Readonly<Record<string, string | null>>

export interface CreateRequest {
  readonly name: string
  readonly config: SentConfig
  readonly targetState: TargetState
}

/**
 * Most values of a body. Parsing numbers as text takes 5 µs a value, and nobody else is answered meanwhile. A configuration
 * has some hundred; offsets have some for each source partition.
 */
const MAX_VALUES = { text: 5000, value: 20_000 }

/**
 * Parses a JSON body. An empty body is null, because some clients send `Content-Type: application/json` without a body
 * (Strimzi's DELETE). A number becomes its source text, as Connect stores it: `1.50` is "1.50", `1e3` is "1e3". With
 * `value` a number stays a number.
 */
export function parseBody(text: string, numbers: 'text' | 'value' = 'text'): unknown {
  if (text.trim() === '') return null
  if (hasMoreValues(text, MAX_VALUES[numbers])) throw restError('tooManyValues', MAX_VALUES[numbers])
  try {
    return parseJson(text, { numbers })
  } catch (error) {
    throw restError('malformedJson', (error as Error).message)
  }
}

/** Counts commas outside of strings. */
function hasMoreValues(text: string, max: number): boolean {
  if (text.length < max * 2) return false
  let values = 1
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === COMMA && ++values > max) return true
    if (code !== QUOTE) continue
    while (++at < text.length && text.charCodeAt(at) !== QUOTE) if (text.charCodeAt(at) === BACKSLASH) at++
  }
  return false
}

const COMMA = 0x2c
const QUOTE = 0x22
const BACKSLASH = 0x5c

/** The body of `POST /connectors`. */
export function decodeCreate(body: unknown): CreateRequest {
  const fields = objectOf(body, 'The body')
  for (const field of Object.keys(fields)) {
    if (!CREATE_FIELDS.includes(field)) throw restError('unknownField', field, CREATE_FIELDS)
  }
  const { name, config, initial_state: state } = fields
  if (config === undefined || config === null) throw restError('configMissing')
  return {
    name: trimJava(scalarText(name ?? '', 'The body', 'name') ?? ''),
    config: decodeConfig(config, 'The field "config"'),
    targetState: targetState(scalarText(state ?? null, 'The body', 'initial_state')),
  }
}

/** Decodes a flat map. Numbers and booleans become text. */
export function decodeConfig(value: unknown, what = 'The body'): SentConfig {
  return Object.fromEntries(
    Object.entries(objectOf(value, what)).map(([key, item]) => [key, scalarText(item, what, key)]),
  )
}

/**
 * Recognizes `{"name": …, "config": {…}}` where a flat map belongs: runbooks send files written for POST to PUT.
 * Returns null for any other body.
 */
export function wrappedConfig(body: unknown): { name: string | null; config: SentConfig } | null {
  if (!isObject(body) || !isObject(body['config'])) return null
  if (Object.keys(body).some((field) => !CREATE_FIELDS.includes(field))) return null
  return { name: scalarText(body['name'] ?? null, 'The body', 'name'), config: decodeConfig(body['config']) }
}

/**
 * The body of `POST /connectors`, or the flat map that `GET …/config` answers: backups and runbooks save that. `named`: the name in
 * the query, for a map without one.
 */
export function decodeCreateLeniently(body: unknown, named: string | undefined): CreateRequest {
  if (!isObject(body) || 'config' in body || typeof body['connector.class'] !== 'string') return decodeCreate(body)
  const config = decodeConfig(body)
  const name = trimJava(named ?? config['name'] ?? '')
  return { name, config, targetState: 'STARTED' }
}

const CREATE_FIELDS: readonly string[] = ['name', 'config', 'initial_state']

function targetState(state: string | null): TargetState {
  switch (state?.toUpperCase()) {
    case undefined:
    case 'RUNNING':
      return 'STARTED'
    case 'PAUSED':
      return 'PAUSED'
    case 'STOPPED':
      return 'STOPPED'
    default:
      throw restError('initialStateInvalid', state!)
  }
}

function scalarText(value: unknown, what: string, key: string): string | null {
  if (value === null || typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  throw restError('nestedValue', what, key, kindOf(value))
}

export function objectOf(value: unknown, what: string): Record<string, unknown> {
  if (!isObject(value)) throw restError('bodyNotObject', what, kindOf(value))
  return value
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'empty'
  return Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** Trims like Java's String.trim(), which Connect applies to names: control characters are trimmed, too. */
function trimJava(text: string): string {
  return text.replace(/^[\u0000- ]+|[\u0000- ]+$/g, '')
}
