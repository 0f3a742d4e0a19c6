import { createHash, type Hash } from 'node:crypto'
import { Decimal } from '@tributary/connect-api'
import { charge, chargeText, LimitExceeded, MAX_DEPTH } from './limits.ts'
import { decimalText, type Duration, kindOf, member } from './values.ts'

/**
 * A UUID (RFC 9562, version 8) of the content of values: the first 122 bits of the SHA-256 of a text in which values that are equal in
 * an expression are equal. Fields of structs and maps count without their order.
 */
export function uuidOf(values: readonly unknown[]): string {
  const hash = createHash('sha256')
  addTo(hash, values, 0)
  const digest = hash.digest()
  digest[6] = (digest[6]! & 0x0f) | 0x80
  digest[8] = (digest[8]! & 0x3f) | 0x80
  const hex = digest.toString('hex', 0, 16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

function addTo(hash: Hash, value: unknown, depth: number): void {
  if (depth > MAX_DEPTH) throw new LimitExceeded(`it reads a value of more than ${MAX_DEPTH} levels`)
  charge(20)
  switch (kindOf(value)) {
    case 'null':
      return add(hash, 'null')
    case 'list':
      add(hash, '[')
      for (const item of value as readonly unknown[]) addTo(hash, item, depth + 1)
      return add(hash, ']')
    case 'map':
      return addMap(hash, value as object, depth)
    case 'string':
      return add(hash, JSON.stringify(value))
    case 'bytes':
      return add(hash, `b${Buffer.from(value as Uint8Array).toString('base64')}`)
    case 'timestamp':
      return add(hash, `t${(value as Date).getTime()}`)
    case 'duration':
      return add(hash, `d${(value as Duration).ms}`)
    default:
      // 1 and 1n are equal, and so are 1.50 and 1.5.
      return add(hash, value instanceof Decimal ? String(Number(decimalText(value))) : String(value))
  }
}

function addMap(hash: Hash, map: object, depth: number): void {
  const keys = map instanceof Map ? [...(map.keys() as IterableIterator<unknown>)] : Object.keys(map)
  const sorted = keys.map((key) => [`${kindOf(key)}:${String(key)}`, key] as const)
  charge(keys.length * 40)
  sorted.sort(([a], [b]) => (a < b ? -1 : 1))
  add(hash, '{')
  for (const [name, key] of sorted) {
    add(hash, JSON.stringify(name))
    addTo(hash, member(map, key), depth + 1)
  }
  add(hash, '}')
}

function add(hash: Hash, text: string): void {
  chargeText(text.length)
  hash.update(text).update(',')
}
