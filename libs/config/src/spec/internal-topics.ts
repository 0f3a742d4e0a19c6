/**
 * Kafka's own topics begin with two underscores (`org.apache.kafka.common.internals.Topic`, and more in newer brokers).
 * The topics of a cluster are named `<cluster>-connect-configs` and so on, and Kafka Connect's documents name its topics
 * `connect-configs`, also with a prefix, and with `_` or `.` between the words. Strimzi's documents name them
 * `connect-cluster-configs` and `mirrormaker2-cluster-configs`, and MirrorMaker names its own `mm2-configs.<cluster>.internal`.
 */
const OF_KAFKA = /^__/
const OF_CONNECT =
  /(?:^|[._-])(?:connect|(?:connect|mirrormaker2)[._-]cluster)[._-](?:configs|offsets|status|plugins|access|audit|dead-letters|history)$|^mm2-(?:configs|offsets|status)\..+\.internal$/

/**
 * Why nothing that comes from outside may be written to the topic, by its name alone; null for a topic of users. A record
 * in an internal topic has no writer's name, so whoever can write there is an administrator.
 */
export function internalTopic(topic: string): string | null {
  if (OF_KAFKA.test(topic)) return `'${topic}' is an internal topic of Kafka. Choose another topic`
  if (OF_CONNECT.test(topic)) return internalTopicOfConnect(topic)
  return null
}

export function internalTopicOfConnect(topic: string): string {
  return `'${topic}' is an internal topic of a Connect cluster. Choose another topic`
}
