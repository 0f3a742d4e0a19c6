import { internalTopic, internalTopicOfConnect } from '@tributary/config'
import { storageKeys } from './settings.ts'
import { STORES, type Stores } from './stores.ts'

const TOPIC_KEYS = Object.keys(storageKeys).filter((key) => key.endsWith('.topic'))

/** Why no connector may write to the topic, in a sentence; null for a topic of users. */
export type InternalTopicCheck = (topic: string) => string | null

/**
 * Knows the internal topics of every cluster by their naming, and those of this cluster also where settings name them, or
 * where an earlier version has. `settings` holds `storageKeys`; the stores are started.
 */
export function internalTopicCheck(stores: Stores, settings: Readonly<Record<string, unknown>>): InternalTopicCheck {
  const named = new Set(TOPIC_KEYS.map((key) => settings[key]))
  const own = (topic: string): boolean => named.has(topic) || STORES.some((store) => stores[store].topic === topic)
  return (topic) => (own(topic) ? internalTopicOfConnect(topic) : internalTopic(topic))
}
