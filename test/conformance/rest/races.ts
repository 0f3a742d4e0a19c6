import assert from 'node:assert/strict'
import type { Comparison, Step } from '../both-sides.ts'
import { type Answer, send } from '../../support/rest-call.ts'
import { MODES } from '../sides.ts'
import { CONFIG, create, get, patch, put, remove } from './steps.ts'

/**
 * Concurrent requests of several clients. Kafka Connect is no model here: it answers several of them with 201, or with
 * 409 and 500 because of a rebalance. Tributary must answer as if the requests had arrived one after the other. The
 * resulting state is compared.
 */
export async function races(comparison: Comparison): Promise<void> {
  const stopped = { initial_state: 'STOPPED', config: CONFIG }

  await atOnce(comparison, repeat(8, create({ name: 'race', ...stopped })), [201, ...Array<number>(7).fill(409)])
  await comparison.steps(get('/connectors/race'), get('/connectors'))

  const keys = Array.from({ length: 8 }, (_, i) => `k${i}`)
  await atOnce(
    comparison,
    keys.map((key) => patch('/connectors/race/config', { [key]: key })),
    keys.map(() => 200),
  )
  await comparison.steps(
    patch('/connectors/race/config', Object.fromEntries(keys.map((key) => [key, key]))),
    get('/connectors/race/config'),
  )
  await atOnce(comparison, repeat(8, remove('/connectors/race')), [204, ...Array<number>(7).fill(404)])
  await comparison.steps(get('/connectors/race'), get('/connectors'))

  await atOnce(comparison, repeat(8, put('/connectors/race/config', CONFIG)), [...Array<number>(7).fill(200), 201])
  await comparison.steps(get('/connectors/race/config'), remove('/connectors/race'))

  const names = Array.from({ length: 12 }, (_, i) => `race-${i}`)
  await atOnce(
    comparison,
    names.map((name) => create({ name, ...stopped })),
    names.map(() => 201),
  )
  await comparison.eventually(get('/connectors'))
  await atOnce(
    comparison,
    names.map((name) => remove(`/connectors/${name}`)),
    names.map(() => 204),
  )
  await comparison.eventually(get('/connectors'))
}

/** Sends all requests at the same time, to Connect as well. Tributary must answer with these statuses, in any order. */
async function atOnce({ sides }: Comparison, steps: readonly Step[], statuses: readonly number[]): Promise<void> {
  const sendAll = (url: string): Promise<Answer[]> => Promise.all(steps.map((step) => send(url, step)))
  const [, ...answers] = await Promise.all([sendAll(sides.connect), ...MODES.map((mode) => sendAll(sides.ours[mode]))])
  for (const [i, mode] of MODES.entries()) {
    const given = answers[i]!.map(({ status }) => status).sort()
    assert.deepEqual(given, statuses, `${mode}: ${steps.length} times ${steps[0]!.method} ${steps[0]!.path}`)
  }
}

function repeat(count: number, step: Step): Step[] {
  return Array<Step>(count).fill(step)
}
