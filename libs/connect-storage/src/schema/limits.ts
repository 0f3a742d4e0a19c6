/**
 * Limits of what the stores read from a topic and write to it. They stand far above what a cluster writes, and keep any
 * one record from holding the event loop for 100 ms or from taking memory that its bytes do not explain.
 */
export const LIMITS = {
  /** Bytes of a key. The key of an offset holds the source partition. */
  keyBytes: 64 * 1024,
  /** Bytes of a value: four times the largest batch that a broker takes by default (`max.message.bytes`). */
  valueBytes: 4 * 1024 * 1024,
  /** Members and items in one JSON value, all levels together. */
  members: 20_000,
  /** UTF-16 code units in a name. The REST API takes names of connectors up to this length. */
  nameChars: 6000,
  /** Tasks of a connector. */
  tasks: 10_000,
  /** The highest generation. Integers stay exact up to 2^53. */
  generation: 2 ** 52,
  /** How often a task or connector has ended its process. */
  stalls: 1_000_000,
  /** Characters of a hand-over state, which has at most 64 KiB when a task leaves it. */
  handOverChars: 64 * 1024,
} as const
