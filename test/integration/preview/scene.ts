import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { Admin } from '@platformatic/kafka'
import { sharedKafka, temporaryFolder } from '@tributary/harness'
import { type KeptRecord, readEndOffset, readPartition } from '../../support/kafka-topic.ts'
import { type Services, startServices } from '../../support/services.ts'
import { until } from '../../support/until.ts'

export type Config = Readonly<Record<string, string>>

type Bytes = null | { readonly text?: string; readonly base64?: string; readonly size: number }

interface Written {
  readonly topic: string
  readonly partition: number | null
  readonly key: Bytes
  readonly value: Bytes
  readonly headers: readonly { readonly name: string; readonly value: Bytes }[]
  readonly timestamp: number | null
}

/** The tested part of a preview; see libs/connect-runtime/src/preview/answer.ts. */
export interface Preview {
  readonly ended: string
  readonly reason: string
  readonly source: string | null
  readonly offsets: string
  readonly notes: readonly string[]
  readonly topics: readonly { readonly name: string; readonly exists: boolean; readonly partitions: number | null }[]
  readonly records: readonly {
    readonly outcome: string
    readonly written?: Written
    readonly error?: { readonly stage: string; readonly class: string; readonly message: string }
    readonly transforms: readonly { readonly alias: string; readonly outcome: string }[]
    readonly filtered_by?: string
  }[]
}

/** Services with one kind of worker, whose previews are compared with what their connectors write. */
export interface Scene {
  readonly services: Services
  /** Previews a configuration that is not stored, for ten seconds at most unless `query` has others. */
  preview(config: Config, query: string): Promise<Preview>
  /** Runs `action`, which must leave all as it is: the topics of the cluster with their ends, and the files of the data folder. */
  leavesAll(action: () => Promise<void>): Promise<void>
  exists(topic: string): Promise<boolean>
  /** Makes a connector of the configuration, waits until the topic has so many records, and deletes the connector. */
  run(name: string, config: Config, topic: string, partitions: number, records: number): Promise<Arrived[]>
  close(): Promise<void>
}

export interface Arrived extends KeptRecord {
  readonly partition: number
}

export async function previewScene(app: string): Promise<Scene> {
  const { brokers } = await sharedKafka()
  const dataDir = temporaryFolder('preview')
  const services = await startServices(app, { TRIBUTARY_DATA_DIR: dataDir })
  const files = async (): Promise<string[]> => (await readdir(dataDir, { recursive: true }).catch(() => [])).sort()
  const admin = new Admin({ clientId: 'preview', bootstrapBrokers: [...brokers] })
  const ends = async (): Promise<Record<string, string>> => {
    const names = (await admin.listTopics()).filter((name) => name.includes(services.cluster))
    const { topics } = await admin.metadata({ topics: names })
    const all = names.flatMap((name) =>
      Object.keys(topics.get(name)!.partitions).map(async (partition) => {
        const end = await readEndOffset(brokers, name, Number(partition))
        return [`${name}-${partition}`, String(end)] as const
      }),
    )
    return Object.fromEntries(await Promise.all(all))
  }
  const arrived = async (topic: string, partitions: number): Promise<Arrived[]> => {
    const parts = Array.from({ length: partitions }, async (_, partition) => {
      return (await readPartition(brokers, topic, partition)).map((record) => ({ ...record, partition }))
    })
    return (await Promise.all(parts)).flat()
  }
  return {
    services,
    preview: async (config, query) => {
      const seconds = query.includes('seconds=') ? '' : '&seconds=10'
      const path = `/connector-plugins/${config['connector.class']}/preview?${query}${seconds}`
      // A busy machine may take longer to connect than a preview lasts.
      const { status, body } = await until('the source answers in time', async () => {
        const answer = await services.rest('POST', path, config)
        return answer.status === 504 ? undefined : answer
      })
      assert.equal(status, 200, JSON.stringify(body))
      return body as Preview
    },
    leavesAll: async (action) => {
      const before = [await ends(), await files()]
      await action()
      assert.deepEqual([await ends(), await files()], before)
    },
    exists: async (topic) => (await admin.listTopics()).includes(topic),
    run: async (name, config, topic, partitions, records) => {
      await services.create(name, config)
      try {
        return await until(`${topic} has ${records} records`, async () => {
          const all = await arrived(topic, partitions).catch(() => [])
          const failed = (await services.status(name)).tasks.find(({ state }) => state === 'FAILED')
          if (failed !== undefined) throw new Error(failed.trace)
          return all.length >= records ? all : undefined
        })
      } finally {
        await services.rest('DELETE', `/connectors/${name}`)
      }
    },
    close: async () => {
      await services.stop()
      await admin.close()
    },
  }
}

/** The record in the form of a preview, without what differs from run to run: its trace, and the headers of `vary`. */
export function asPreviewed({ key, value, headers, partition, timestamp }: Arrived, vary: readonly string[] = []) {
  const kept = headers.filter(([name]) => name !== 'traceparent' && !vary.includes(name))
  return {
    key: hex(key),
    value: hex(value),
    headers: kept.map(([name, header]) => [name, hex(header)]),
    partition,
    timestamp: Number(timestamp),
  }
}

/** What a preview says is written. `like`: the record that was; its partition and time are taken where chance or the clock decides. */
export function previewed({ written }: Preview['records'][number], like: Arrived, vary: readonly string[] = []) {
  assert.ok(written, 'it is not written')
  const { key, value, headers, partition, timestamp } = written
  const kept = headers.filter(({ name }) => !vary.includes(name))
  return {
    key: hexOf(key),
    value: hexOf(value),
    headers: kept.map((header) => [header.name, hexOf(header.value)]),
    partition: partition ?? like.partition,
    timestamp: timestamp ?? Number(like.timestamp),
  }
}

const hex = (bytes: Buffer | null): string | null => bytes && bytes.toString('hex')

function hexOf(shown: Bytes): string | null {
  if (shown === null) return null
  const bytes = shown.text === undefined ? Buffer.from(shown.base64!, 'base64') : Buffer.from(shown.text)
  assert.equal(bytes.length, shown.size)
  return bytes.toString('hex')
}
