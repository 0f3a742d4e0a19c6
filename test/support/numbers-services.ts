import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryFolder } from '@tributary/harness'
import { clusterProps, pluginListed, startPlane } from './control-plane.ts'
import { type Ingest, startIngest } from './ingest.ts'
import { NumbersSource } from './numbers-source.ts'
import type { Answer } from './rest-call.ts'

/** A gRPC stream of numbers, and a control plane and a grpc-ingest process with a cluster name of their own. */
export interface NumbersServices {
  readonly source: NumbersSource
  readonly cluster: string
  /** The URL of the REST API. */
  readonly url: string
  /** Starts the grpc-ingest process again, on the same data. */
  restartWorker(): Promise<void>
  /** The configuration of a connector that reads the stream, and goes on after the last number it has read. */
  configOf(topic: string): Record<string, unknown>
}

/** Starts all of it, without a connector; it ends with the test. `rate`: numbers a second. */
export async function startNumbersServices(
  t: TestContext,
  brokers: readonly string[],
  rate: number,
): Promise<NumbersServices> {
  const source = await NumbersSource.listen({ rate, payloadBytes: 10 })
  t.after(() => source.close())
  const props = clusterProps(brokers)
  const cluster = props['cluster']!
  const folder = temporaryFolder('numbers-services')
  let ingest: Ingest | null = null
  const restartWorker = async (): Promise<void> => {
    await ingest?.child.stop()
    ingest = await startIngest(join(folder, 'log'), {
      KAFKA_BROKERS: brokers.join(','),
      TRIBUTARY_CLUSTER: cluster,
      TRIBUTARY_DATA_DIR: join(folder, 'data'),
    })
  }
  t.after(() => ingest?.child.kill())
  await restartWorker()
  const { url } = await startPlane(t, props)
  await pluginListed(url)
  const configOf = (topic: string): Record<string, unknown> => ({
    ...source.config(),
    'kafka.topic': topic,
  })
  return { source, cluster, url, restartWorker, configOf }
}

/** The number of the answer to GET /connectors/{name}/offsets; 0 before the first one is committed. */
export function resumeOf({ body }: Answer): number {
  const { offsets } = body as { offsets: { offset: { resume?: string | number } }[] }
  return Number(offsets[0]?.offset.resume ?? 0)
}
