import { hash } from 'node:crypto'

/** Namespace of the ids of dead letters, chosen at random (RFC 9562, section 5.5). */
const NAMESPACE = Buffer.from('6f2b7d4c09e34b51a1c8e5d7b3902f64', 'hex')

/** The SHA-1 of which the id of a letter is made. `topic`: Kafka's id of the topic. */
export function letterHash(topic: string, partition: number, offset: string): Buffer {
  return hash('sha1', Buffer.concat([NAMESPACE, Buffer.from(`${topic}/${partition}/${offset}`)]), 'buffer')
}

/** The id of a letter: a UUID of version 5, which all replicas make alike. */
export function letterId(topic: string, partition: number, offset: string): string {
  const bytes = letterHash(topic, partition, offset)
  bytes[6] = (bytes[6]! & 0x0f) | 0x50
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytes.toString('hex', 0, 16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** The first 48 bits of the id, by which the index finds it; null: the text is no id. */
export function idStart(id: string): number | null {
  return /^[\da-f]{8}-[\da-f]{4}-5[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/i.test(id)
    ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
    : null
}
