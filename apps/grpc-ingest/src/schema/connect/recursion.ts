import type { MessageType } from '../model/model.ts'

const reached = new WeakMap<MessageType, ReadonlySet<MessageType>>()

/**
 * Whether a field of `within` whose values are of `type` lets a message of `within` contain another one. It does not depend on the
 * message that the walk began with, so every use of a type has the same schema.
 */
export function isRecursive(within: MessageType, type: MessageType): boolean {
  return type === within || reachableFrom(type).has(within)
}

/** The types that messages of a type may contain. */
function reachableFrom(type: MessageType): ReadonlySet<MessageType> {
  const known = reached.get(type)
  if (known !== undefined) return known
  const found = new Set<MessageType>()
  const open = [type]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const { messageType } of next.fields) {
      if (messageType === null || found.has(messageType)) continue
      found.add(messageType)
      open.push(messageType)
    }
  }
  reached.set(type, found)
  return found
}
