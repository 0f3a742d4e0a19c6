import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { REPLAY_HEADER, type ReplayAnswer, type ReplayOutcome } from '@tributary/connect-api'
import { sharedKafka, temporaryFolder } from '@tributary/harness'
import { createTopic, readPartition } from '../../support/kafka-topic.ts'
import { addresses, askForReplay, letter, write } from '../../integration/replay/letters.ts'
import type { Ingest } from '../../support/ingest.ts'
import { until } from '../../support/until.ts'
import { type Delivery, type Flow, Rig } from './rig.ts'

const LETTERS = 2000
const BATCH = 250

/** A Number of the source's service, in Protocol Buffers, that the source itself does not send: a text without a sequence. */
const message = (n: number): Buffer => Buffer.from(`\x12\x05r${String(n).padStart(4, '0')}`)

test('kill -9 in the middle of replays loses no letter, and repeats at most those in flight', async (t) => {
  const { brokers } = await sharedKafka()
  // A worker with an instance id gets its tasks back at once.
  const env = { TRIBUTARY_GROUP_INSTANCE_ID: 'one', TRIBUTARY_DATA_DIR: temporaryFolder('replay-kill') }
  const rig = await Rig.create(t, { brokers, env })
  let ingest: Ingest = await rig.start()
  const ask = async (flow: Flow, dlq: string, batch: number): Promise<readonly ReplayOutcome[] | null> => {
    const address = /event=service_started .*address=(\S+)/.exec(ingest.log.events().map(({ line }) => line).join('\n'))?.[1] // prettier-ignore
    const offsets = Array.from({ length: BATCH }, (_, i) => batch * BATCH + i)
    const request = { replay: 'r', batch, force: true, letters: addresses(dlq, offsets) }
    const answer = await askForReplay(`http://${address}`, flow.name, request).catch(() => null)
    if (answer?.status !== 200) return null
    const { outcomes } = answer.body as ReplayAnswer
    return outcomes.every(({ outcome }) => outcome === 'written') ? outcomes : null
  }
  const flows = await Promise.all(
    (['at-least-once', 'exactly-once'] satisfies Delivery[]).map(async (delivery) => {
      const [flow, dlq] = await Promise.all([rig.flow(delivery, { rate: 200, payloadBytes: 10 }), createTopic(brokers)])
      const letters = Array.from({ length: LETTERS }, (_, i) => letter(dlq, flow.topic, message(i + 1), { key: Buffer.from(String(i)) })) // prettier-ignore
      await write(brokers, letters)
      return { flow, dlq }
    }),
  )
  const answers = new Map(flows.map(({ flow }) => [flow, [] as ReplayOutcome[]]))
  const replay = async ({ flow, dlq }: (typeof flows)[number], from: number, to: number): Promise<void> => {
    for (let batch = from; batch < to; batch++) {
      const outcomes = await until(`batch ${batch} is written`, async () => (await ask(flow, dlq, batch)) ?? undefined)
      answers.get(flow)!.push(...outcomes)
    }
  }
  await Promise.all(flows.map((each) => replay(each, 0, 3)))
  const interrupted = flows.map(({ flow, dlq }) => ask(flow, dlq, 3))
  await sleep(Math.random() * 60)
  await ingest.child.kill()
  await Promise.all(interrupted)
  ingest = await rig.start()
  await Promise.all(flows.map((each) => replay(each, 3, LETTERS / BATCH)))

  for (const { flow } of flows) {
    const records = await readPartition(brokers, flow.topic, 0, { committed: true })
    const replayed = records.filter(({ headers }) => headers.some(([name]) => name === REPLAY_HEADER))
    const places = new Set(replayed.map(({ offset }) => String(offset)))
    const answered = answers.get(flow)!
    assert.ok(
      answered.every((outcome) => outcome.outcome === 'written' && places.has(outcome.offset)),
      flow.name,
    )
    const values = new Set(replayed.map(({ value }) => String(value)))
    assert.equal(values.size, LETTERS, `${flow.name}: each letter is there`)
    assert.ok(replayed.length <= LETTERS + BATCH, `${flow.name}: ${replayed.length} records of ${LETTERS} letters`)
    const { lost } = await rig.finish(flow)
    assert.equal(lost, 0, `${flow.name}: live records`)
  }
})
