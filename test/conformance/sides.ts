import { sharedKafka, startKafkaConnect } from '@tributary/harness'
import type { TestContext } from 'node:test'
import { clusterProps, pluginListed, startPlane, startWorker } from '../support/control-plane.ts'
/** The mode of Tributary: with `connect.strict=true`, or with defaults. */
export const MODES = ['strict', 'byDefault'] as const
export type Mode = (typeof MODES)[number]

export const SIDES = ['connect', ...MODES] as const
export type Side = (typeof SIDES)[number]

/** The addresses of Kafka Connect and Tributary, which have the same plugin and the same Kafka cluster. */
export interface Sides {
  readonly connect: string
  readonly ours: Readonly<Record<Mode, string>>
}

/** A placeholder in a body for the name of the side that gets it, so that each side writes to topics of its own. */
export const OF_SIDE = '<side>'

export function topicOf(topic: string, side: Side): string {
  return topic.replace(OF_SIDE, side)
}

/**
 * Starts a live Kafka Connect, and two installations of Tributary with one worker each: one in strict mode, one with
 * defaults. All have the file source and the same Kafka, and end with the test.
 */
export async function startSides(t: TestContext): Promise<Sides> {
  const { brokers } = await sharedKafka()
  const [connect, strict, byDefault] = await Promise.all([
    startConnect(t, brokers),
    startOurs(t, brokers, 'strict'),
    startOurs(t, brokers, 'byDefault'),
  ])
  return { connect, ours: { strict, byDefault } }
}

export async function startOurs(t: TestContext, brokers: readonly string[], mode: Mode): Promise<string> {
  const props = clusterProps(brokers, mode === 'strict' ? { 'connect.strict': 'true' } : {})
  await startWorker(t, props)
  const { url } = await startPlane(t, props)
  await pluginListed(url)
  return url
}

async function startConnect(t: TestContext, brokers: readonly string[]): Promise<string> {
  const connect = await startKafkaConnect({
    brokers,
    properties: {
      'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
      'exactly.once.source.support': 'enabled',
      'config.providers': 'file',
      'config.providers.file.class': 'org.apache.kafka.common.config.provider.FileConfigProvider',
    },
  })
  t.after(() => connect.stop())
  return connect.url
}
