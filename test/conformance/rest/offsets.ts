import assert from 'node:assert/strict'
import { type Comparison, eventually, type Step } from '../both-sides.ts'
import { readPartition } from '../../support/kafka-topic.ts'
import { SIDES, topicOf } from '../sides.ts'
import { alike } from './lifecycle.ts'
import type { LinesFile } from './lines-file.ts'
import { create, get, JSON_TYPE, patch, post, put, remove } from './steps.ts'

/** Offsets are read, altered and reset (KIP-875), and the source continues from them. */
export async function offsets(comparison: Comparison, lines: LinesFile, brokers: readonly string[]): Promise<void> {
  const c = '/connectors/o'
  const config = { 'connector.class': 'FileStreamSource', topic: lines.topic, file: lines.file }
  const altered = (entries: unknown, shows?: Parameters<typeof patch>[2]): Step =>
    patch(`${c}/offsets`, { offsets: entries }, shows)
  const partition = { filename: lines.file }
  const written = (values: readonly string[]): Promise<void> =>
    eventually(`every topic holds ${values.join()}`, async () => {
      for (const side of SIDES) {
        const records = await readPartition(brokers, topicOf(lines.topic, side), 0, { committed: true })
        assert.deepEqual(
          records.map(({ value }) => String(value)),
          values,
          side,
        )
      }
    })

  await comparison.steps(create({ name: 'o', config }))
  await alike(comparison, c, 'RUNNING', ['RUNNING'])
  await written(['one', 'two', 'three'])
  await comparison.steps(altered([{ partition, offset: { position: 4 } }]), remove(`${c}/offsets`), put(`${c}/pause`))
  await alike(comparison, c, 'PAUSED', ['PAUSED'])
  await comparison.steps(altered([{ partition, offset: { position: 4 } }]), remove(`${c}/offsets`), put(`${c}/stop`))
  await alike(comparison, c, 'STOPPED', [])

  await comparison.steps(
    ...[
      '',
      'null',
      '[]',
      '{',
      '"x"',
      '{"offsets":{}}',
      '{"offsets":[null]}',
      '{"offsets":["x"]}',
      '{"offsets":"x"}',
    ].map((body) => patch(`${c}/offsets`, body, { differs: 'clientMistake' })),
    patch(`${c}/offsets`, undefined, { differs: 'clientMistake', headers: JSON_TYPE }),
    patch(`${c}/offsets`, { offsets: [{ partition, offset: null }], x: 1 }, { differs: 'clientMistake' }),
    patch(`${c}/offsets`, {}),
    altered(null),
    altered([]),
    altered([{ partition, offset: { position: 4 }, x: 1 }], { differs: 'clientMistake' }),
    altered([{ partition: 'a', offset: { position: 1 } }], { differs: 'clientMistake' }),
    patch(`${c}/offsets`, '{"offsets":[{"partition":{"filename":"b"},"offset":{"position":9223372036854775808}}]}', {
      differs: 'clientMistake',
    }),
    altered([{ partition, offset: 1 }], { differs: 'clientMistake' }),
    altered([{ partition: { filename: {} }, offset: { position: 1 } }], { differs: 'clientMistake' }),
    altered([{ partition, offset: { position: [1] } }], { differs: 'clientMistake' }),
    altered([{ partition: {}, offset: { position: 1 } }], { differs: 'refusedByConnector' }),
    ...[{}, { position: '1' }, { position: -1 }, { position: 1.5 }, { position: null }, { other: 1 }].map((offset) =>
      altered([{ partition, offset }], { differs: 'refusedByConnector' }),
    ),
    get(`${c}/offsets`),

    altered([{}]),
    altered([{ partition: null }]),
    altered([{ partition: { filename: 'none' } }]),
    get(`${c}/offsets`),
    altered([
      { partition: { filename: 'b', z: 1, a: null, t: true }, offset: { position: 12345678901, q: 1.5, n: null } },
      { partition: { filename: 'c' }, offset: { position: 1 } },
      { partition: { filename: 'c' }, offset: { position: 2 } },
    ]),
    get(`${c}/offsets`),
    altered([{ partition: { t: true, a: null, z: 1, filename: 'b' }, offset: null }]),
    get(`${c}/offsets`),
    patch(`${c}/offsets`, '{"offsets":[{"partition":{"filename":"b"},"offset":{"position":9223372036854775807}}]}'),
    get(`${c}/offsets`),
    altered([
      { partition: { filename: 'b', z: 1, a: null, t: true }, offset: null },
      { partition: { filename: 'c' } },
      { partition: { filename: 'b' } },
    ]),
    altered([{ partition, offset: { position: 4 } }]),
    get(`${c}/offsets`),
    put(`${c}/resume`),
  )
  await written(['one', 'two', 'three', 'two', 'three'])
  await alike(comparison, c, 'RUNNING', ['RUNNING'])

  await comparison.steps(put(`${c}/stop`))
  // Sent at once: Connect, too, waits until the tasks have ended.
  await comparison.steps(remove(`${c}/offsets`), remove(`${c}/offsets`, { headers: JSON_TYPE }), get(`${c}/offsets`))
  await comparison.steps(put(`${c}/resume`))
  await written(['one', 'two', 'three', 'two', 'three', 'one', 'two', 'three'])
  await lines.append('four\n')
  await written(['one', 'two', 'three', 'two', 'three', 'one', 'two', 'three', 'four'])
  await alike(comparison, c, 'RUNNING', ['RUNNING'])
  await comparison.steps(post(`${c}/restart?includeTasks=true`))
  await alike(comparison, c, 'RUNNING', ['RUNNING'])
  await comparison.steps(remove(c))
}
