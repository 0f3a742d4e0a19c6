/** `SourceRecord.received`: what the bytes of a dead letter do not say. Text messages have none. */
export const BINARY = { binary: 'true' }
/** Of an element that `split.field` has cut out of a message. */
export const TEXT_ELEMENT = { part: 'element' }
export const BINARY_ELEMENT = { part: 'element', binary: 'true' }
