import { sharedKafka } from '@tributary/harness'
import { KafkaAdmin } from '@tributary/kafka'
import assert from 'node:assert/strict'
import type { ConnectorStatus, Services } from '../../support/services.ts'
import { type KeptRecord, readEndOffset, readPartition } from '../../support/kafka-topic.ts'
import { until } from '../../support/until.ts'

export interface ExampleConfig {
  /** The connector's name. Several examples may share a name and a topic. */
  readonly connector: string
  readonly config: Readonly<Record<string, string>>
}

/** Runs configurations of the documents unchanged, one after the other. */
export interface ExampleRuns {
  /**
   * Creates the connector, waits until it is RUNNING and has written `count` records, reads its configuration back,
   * which must be the same, and deletes the connector. Returns the records. `ended` waits until the source is no longer
   * read.
   */
  run(services: Services, example: ExampleConfig, count: number, ended: () => boolean): Promise<KeptRecord[]>
  /** Deletes the topics. */
  stop(): Promise<void>
}

export async function exampleRuns(): Promise<ExampleRuns> {
  const { brokers } = await sharedKafka()
  const admin = new KafkaAdmin({ brokers, clientId: 'examples' })
  const topics = new Set<string>()
  const endOf = async (topic: string): Promise<bigint> => {
    const described = await admin.describeTopics([topic])
    return described.get(topic) ? await readEndOffset(brokers, topic) : 0n
  }
  return {
    async run(services, { connector, config }, count, ended) {
      const topic = config['kafka.topic']!
      topics.add(topic)
      // Each example reads the records since its creation.
      const from = await endOf(topic)
      await services.create(connector, config)
      const records = await until(`${count} records in ${topic}`, async () => {
        if ((await endOf(topic)) < from + BigInt(count)) return null
        return readPartition(brokers, topic, 0, { from })
      })
      const { body } = await services.rest('GET', `/connectors/${connector}/config`)
      assert.deepEqual(body, { ...config, name: connector })
      const { connector: own, tasks }: ConnectorStatus = await services.status(connector)
      assert.deepEqual([own.state, ...new Set(tasks.map(({ state }) => state))], ['RUNNING', 'RUNNING'])
      assert.equal((await services.rest('DELETE', `/connectors/${connector}`)).status, 204)
      await until('the source is read no more', ended)
      await until('what was queued has arrived', async () => {
        const end = await endOf(topic)
        await new Promise((resolve) => setTimeout(resolve, 300))
        return end === (await endOf(topic))
      })
      return records.slice(0, count)
    },
    async stop() {
      const described = await admin.describeTopics([...topics])
      await admin.deleteTopics([...topics].filter((topic) => described.get(topic)))
      await admin.close()
    },
  }
}
