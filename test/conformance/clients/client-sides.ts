import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { sharedKafka, startKafkaConnect } from '@tributary/harness'
import { makeApiKey, withKey } from '../../support/api-key.ts'
import { clusterProps, pluginListed, startPlane, startWorker } from '../../support/control-plane.ts'
import type { AccessMode } from '../access-modes.ts'
import { createTopic } from '../../support/kafka-topic.ts'

export const FILE_SOURCE = 'org.apache.kafka.connect.file.FileStreamSourceConnector'

/** In bytes. A broker and Java's producer both accept 1 MiB. */
const TOO_LARGE = 2 << 20

/** Settings by key. */
export type Config = Readonly<Record<string, string>>

/** A value for each of the two sides: a live Kafka Connect, and Tributary. */
export interface Sides<T> {
  readonly connect: T
  readonly ours: T
}

/** The REST addresses of both sides. */
export interface ClientSides extends Sides<string> {
  /** The config of a connector that reads a file of three lines into a topic. */
  readonly config: Config
  /** The config of a connector whose task fails, because its file has a line that is too large for Kafka. */
  readonly failing: Config
  readonly spoil: () => Promise<void>
  /** Gives that file a short line instead. After this only a restart heals the task. */
  readonly mend: () => Promise<void>
  readonly folder: string
}

/**
 * Starts a live Kafka Connect, and Tributary with its defaults, on the same Kafka. Both end with the test. With an API key
 * the address of Tributary has the credentials.
 */
export async function startClientSides(t: TestContext, access: AccessMode): Promise<ClientSides> {
  const { brokers } = await sharedKafka()
  const properties = { 'value.converter': 'org.apache.kafka.connect.storage.StringConverter' }
  const connect = await startKafkaConnect({ brokers, properties })
  t.after(() => connect.stop())
  const props = clusterProps(brokers)
  await startWorker(t, props)
  let url: string
  if (access === 'with an API key') {
    const key = await makeApiKey(brokers, props['cluster']!)
    url = withKey((await startPlane(t, { ...props, 'access.authentication': 'keys' })).url, key)
  } else {
    url = (await startPlane(t, props)).url
  }
  await pluginListed(url)

  const folder = await mkdtemp(join(tmpdir(), 'clients-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'lines.txt')
  await writeFile(file, 'one\ntwo\nthree\n')
  const config = { 'connector.class': FILE_SOURCE, 'tasks.max': '1', file, topic: await createTopic(brokers) }
  const large = join(folder, 'large.txt')
  return {
    connect: connect.url,
    ours: url,
    config,
    failing: { ...config, file: large },
    spoil: () => writeFile(large, `${'x'.repeat(TOO_LARGE)}\n`),
    mend: () => writeFile(large, 'short\n'),
    folder,
  }
}
