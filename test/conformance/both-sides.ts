import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { comparable, type DifferenceName, DIFFERENCES } from './differences.ts'
import { type Answer, type Call, send } from './rest-call.ts'

export interface Step extends Call {
  readonly differs?: DifferenceName
}

/** Kafka Connect and ours, with the same plugin on the same Kafka cluster. */
export interface Sides {
  readonly connect: string
  readonly ours: string
}

/** Sends each step to both sides, in order, and compares the answers. */
export async function compareAll(sides: Sides, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    const [connect, ours] = await Promise.all([settled(sides.connect, step), send(sides.ours, step)])
    compare(step, comparable(connect), comparable(ours))
  }
}

/** Repeats a read until both sides answer alike: states arrive when workers get to them. Fails with the last difference. */
export function eventuallyAlike(sides: Sides, step: Step): Promise<void> {
  return eventually(`${step.method} ${step.path} is answered alike`, () => compareAll(sides, [step]))
}

const DEADLINE_MS = 60_000

/** Repeats `check` until it passes; fails with its last error. */
export async function eventually(what: string, check: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`not within ${DEADLINE_MS} ms: ${what}`, { cause: error })
      await sleep(100)
    }
  }
}

function compare(step: Step, connect: Answer, ours: Answer): void {
  const request = `${step.method} ${step.path} ${JSON.stringify(step.body) ?? ''}`
  if (step.differs === undefined) {
    assert.deepEqual(ours, connect, request)
    return
  }
  const { why, holds } = DIFFERENCES[step.differs]
  assert.notDeepEqual(ours, connect, `${request} no longer differs: take ${step.differs} off the step`)
  const shown = `connect: ${JSON.stringify(connect)}\nours: ${JSON.stringify(ours)}`
  assert.ok(holds(connect, ours), `${request} differs in another way than ${step.differs} (${why})\n${shown}`)
}

/** Connect's answer once it is not busy with a rebalance, which shows as 409 or 500 with that word. */
async function settled(url: string, call: Call): Promise<Answer> {
  for (let attempt = 0; ; attempt++) {
    const answer = await send(url, call)
    const text = JSON.stringify(answer.body)
    if (attempt === 50 || answer.status < 409 || !/rebalance (was|is) (underway|expected)|is expected/.test(text)) {
      return answer
    }
    if (/no known leader URL/.test(text)) return answer
    await sleep(200)
  }
}
