import type { ReplayAnswer, ReplayOutcome, ReplayRequest } from '@tributary/connect-api'
import { sharedKafka } from '@tributary/harness'
import assert from 'node:assert/strict'
import { askForReplay } from './letters.ts'
import { type KeptRecord, readPartition } from '../../support/kafka-topic.ts'
import { type Services, startServices } from '../../support/services.ts'
import { until } from '../../support/until.ts'

export type Config = Readonly<Record<string, string>>
/** Services with one kind of worker, whose internal route the test calls as the leader of the control plane does. */
export interface Scene {
  readonly brokers: readonly string[]
  readonly services: Services
  ask(connector: string, request: Partial<ReplayRequest>): Promise<{ readonly status: number; readonly body: unknown }>
  /** The outcomes. Asks again while the task is not at work yet. */
  replay(connector: string, request: Partial<ReplayRequest>): Promise<readonly ReplayOutcome[]>
  close(): Promise<void>
}

export async function replayScene(app: string, extra: Config = {}): Promise<Scene> {
  const { brokers } = await sharedKafka()
  const services = await startServices(app, extra)
  const ask: Scene['ask'] = (connector, request) => askForReplay(services.admins[1]!, connector, request)
  return {
    brokers,
    services,
    ask,
    replay: (connector, request) =>
      until(`${connector} replays`, async () => {
        const { status, body } = await ask(connector, request)
        if (status === 404 || status === 409) return undefined
        assert.equal(status, 200, JSON.stringify(body))
        return (body as ReplayAnswer).outcomes
      }),
    close: () => services.stop(),
  }
}

/** Waits until a partition has so many records. */
export async function untilRecords(brokers: readonly string[], topic: string, count: number): Promise<KeptRecord[]> {
  return until(`${topic} has ${count} records`, async () => {
    const records = await readPartition(brokers, topic, 0, { committed: true }).catch(() => [])
    return records.length >= count ? records : undefined
  })
}

export function header(record: KeptRecord, name: string): string | undefined {
  return record.headers.find(([n]) => n === name)?.[1]?.toString()
}
