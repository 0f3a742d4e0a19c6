import { randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createStores } from '@tributary/connect-storage'
import { temporaryFolder } from '@tributary/harness'
import { createLogger } from '@tributary/telemetry'
import { createTopic, readEndOffset } from '../../support/kafka-topic.ts'
import { until } from '../../support/until.ts'
import { type Delivered, deliveredTo } from '../../support/delivered.ts'
import { type Ingest, startIngest } from '../../support/ingest.ts'
import { long } from './rig.ts'
import { LiveNumbers, type LiveNumbersOptions } from '../../support/live-numbers.ts'

const CONNECTOR = 'feed'
/** `brokers` is a broker that was started with SHORT_SESSIONS. */
const SHORT_SESSION = { TRIBUTARY_SESSION_TIMEOUT_MS: '2000', TRIBUTARY_HEARTBEAT_INTERVAL_MS: '200' }
const quiet = createLogger({ name: 'crash', level: 'error' })

/** A live feed, the connector that reads it into a topic of its own, and the ws-ingest that runs the connector. */
export class WsRig {
  readonly source: LiveNumbers
  readonly topic: string
  readonly #t: TestContext
  readonly #brokers: readonly string[]
  readonly #cluster: string
  readonly #folder = temporaryFolder('crash')
  #starts = 0

  private constructor(t: TestContext, brokers: readonly string[], cluster: string, topic: string, source: LiveNumbers) {
    this.#t = t
    this.#brokers = brokers
    this.#cluster = cluster
    this.topic = topic
    this.source = source
  }

  /** `config` are the connector's keys besides URL and topic. */
  static async create(
    t: TestContext,
    brokers: readonly string[],
    numbers: LiveNumbersOptions,
    config: Record<string, string>,
  ): Promise<WsRig> {
    const cluster = `crash-${randomUUID().slice(0, 8)}`
    const source = await LiveNumbers.listen(numbers)
    t.after(() => source.close())
    const topic = await createTopic(brokers)
    const { configs } = createStores({ connection: { brokers, clientId: cluster }, log: quiet, cluster })
    await configs.start(t.signal)
    await configs.putConnectorConfig(CONNECTOR, {
      name: CONNECTOR,
      'connector.class': 'io.tributary.connect.websocket.WebSocketSourceConnector',
      'tasks.max': '1',
      'websocket.url': `ws://127.0.0.1:${source.port}/`,
      'kafka.topic': topic,
      ...config,
    })
    await configs.stop()
    return new WsRig(t, brokers, cluster, topic, source)
  }

  async start(): Promise<Ingest> {
    const env = {
      KAFKA_BROKERS: this.#brokers.join(','),
      TRIBUTARY_CLUSTER: this.#cluster,
      TRIBUTARY_DATA_DIR: join(this.#folder, 'data'),
      ...SHORT_SESSION,
    }
    const ingest = await startIngest(join(this.#folder, `ws-ingest-${++this.#starts}.log`), env, 'ws-ingest')
    this.#t.after(() => ingest.child.kill())
    return ingest
  }

  /** The number of records in the topic. */
  async kept(): Promise<number> {
    return Number(await readEndOffset(this.#brokers, this.topic))
  }

  async keeps(records: number, ingest: Ingest): Promise<void> {
    const enough = async (): Promise<boolean> => {
      if (ingest.child.exit) throw new Error(`ws-ingest ended:\n${ingest.log.tail()}`)
      return (await this.kept()) >= records
    }
    try {
      await until(`the topic holds ${records} records`, enough, long ? 400_000 : 120_000)
    } catch (cause) {
      throw new Error(`${(cause as Error).message}, but ${await this.kept()}:\n${ingest.log.tail()}`, { cause })
    }
  }

  /** Waits until the topic contains `last`. Returns what became of the numbers up to `last`. */
  delivered(last: number): Promise<Delivered> {
    return deliveredTo(this.#brokers, this.topic, last)
  }

  /**
   * The numbers of the complete messages in the segments on disk, in order. Reads the bytes themselves, whichever
   * process wrote them.
   */
  async spilled(): Promise<number[]> {
    const folder = join(this.#folder, 'data', CONNECTOR, '0')
    const names = await readdir(folder).catch(() => [])
    const numbers: number[] = []
    for (const name of names.filter((each) => each.endsWith('.spill')).sort()) {
      const bytes = (await readFile(join(folder, name))).toString('latin1')
      for (const [, number] of bytes.matchAll(/"sequence":"(\d+)"\}/g)) numbers.push(Number(number))
    }
    return numbers
  }
}
