/**
 * Kafka's default partitioner for records with a key: Java's murmur2 (org.apache.kafka.common.utils.Utils.murmur2),
 * made positive, modulo the number of partitions. The key is `key[start]` up to
 * `key[end - 1]`.
 */
export function partitionForKey(key: Uint8Array, partitionCount: number, start = 0, end = key.length): number {
  return (murmur2(key, start, end) & 0x7fffffff) % partitionCount
}

/** Java's 32-bit murmur2 with seed 0x9747b28c, as a signed 32-bit integer, of the bytes from `start` up to `end`, exclusive. */
export function murmur2(data: Uint8Array, start = 0, end = data.length): number {
  const m = 0x5bd1e995
  const length = end - start
  let h = 0x9747b28c ^ length
  const words = length >>> 2
  for (let w = 0; w < words; w++) {
    const i = start + (w << 2)
    let k = data[i]! | (data[i + 1]! << 8) | (data[i + 2]! << 16) | (data[i + 3]! << 24)
    k = Math.imul(k, m)
    k ^= k >>> 24
    k = Math.imul(k, m)
    h = Math.imul(h, m) ^ k
  }
  const tail = start + (words << 2)
  const rest = length & 3
  if (rest === 3) h ^= data[tail + 2]! << 16
  if (rest >= 2) h ^= data[tail + 1]! << 8
  if (rest >= 1) {
    h ^= data[tail]!
    h = Math.imul(h, m)
  }
  h ^= h >>> 13
  h = Math.imul(h, m)
  return (h ^ (h >>> 15)) | 0
}
