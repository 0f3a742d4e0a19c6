import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { comparable } from './comparable.ts'
import { type Difference, type DifferenceName, DIFFERENCES } from './differences.ts'
import { LENIENCIES, type LeniencyName } from './leniencies.ts'
import { type Answer, type Call, send } from '../support/rest-call.ts'
import { type Mode, MODES, OF_SIDE, type Side, type Sides, SIDES } from './sides.ts'

export interface Step extends Call {
  /** The name of the difference that our answer shows in either mode. */
  readonly differs?: DifferenceName
  /**
   * The name of the difference that our answer shows by default. In strict mode there is none, or the one that
   * `differs` names.
   */
  readonly lenient?: LeniencyName
}

/** Sends the same requests to Kafka Connect and to Tributary in both modes, compares the answers, and counts them. */
export class Comparison {
  readonly sides: Sides
  #compared = 0
  readonly #seen: Record<Mode, Map<string, number>> = { strict: new Map(), byDefault: new Map() }

  constructor(sides: Sides) {
    this.sides = sides
  }

  /** Sends the steps in order, each after the answers to the one before were alike. */
  async steps(...steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      const answers = await Promise.all(SIDES.map((side) => this.#answer(side, step)))
      const [connect, strict, byDefault] = answers.map(comparable)
      const shown = {
        strict: compare('strict', step, connect!, strict!),
        byDefault: compare('byDefault', step, connect!, byDefault!),
      }
      this.#compared++
      for (const mode of MODES) this.#count(mode, shown[mode])
    }
  }

  /**
   * Repeats a read until all answers are alike, because a state appears only when a worker has written it. Fails with
   * the last difference.
   */
  eventually(step: Step): Promise<void> {
    return eventually(`${step.method} ${step.path} is answered alike`, () => this.steps(step))
  }

  /** Deletes what a failed scenario has left, so that the next scenario starts with nothing. */
  async clear(): Promise<void> {
    for (const url of [this.sides.connect, ...Object.values(this.sides.ours)]) {
      const { body } = await send(url, { method: 'GET', path: '/connectors' })
      for (const name of body as string[]) {
        await settled(url, { method: 'DELETE', path: `/connectors/${encodeURIComponent(name)}` })
      }
    }
  }

  /** Reports what was compared, and fails for a listed difference that no step has shown. */
  report(t: TestContext): void {
    for (const mode of MODES) {
      const seen = [...this.#seen[mode]].map(([name, count]) => `${name} ${count}`)
      t.diagnostic(
        `${mode}: ${this.#compared} answers compared with Kafka Connect's; listed differences seen: ${seen.join(', ')}`,
      )
    }
    assert.deepEqual(notSeen(DIFFERENCES, this.#seen.strict), [], 'differences that nothing shows in strict mode')
    assert.deepEqual(notSeen(DIFFERENCES, this.#seen.byDefault), [], 'differences that nothing shows by default')
    assert.deepEqual(notSeen(LENIENCIES, this.#seen.byDefault), [], 'leniencies that nothing shows')
  }

  async #answer(side: Side, step: Step): Promise<Answer> {
    const body = step.body === undefined ? undefined : bodyText(step.body).replaceAll(OF_SIDE, side)
    const call: Call = { ...step, ...(body === undefined ? {} : { body }) }
    if (side === 'connect') return await settled(this.sides.connect, call)
    return await send(this.sides.ours[side], call)
  }

  #count(mode: Mode, shown: string | null): void {
    if (shown !== null) this.#seen[mode].set(shown, (this.#seen[mode].get(shown) ?? 0) + 1)
  }
}

/**
 * The name of the listed difference that the answers show; null when they are alike. Throws for any other difference.
 */
function compare(mode: Mode, step: Step, connect: Answer, ours: Answer): string | null {
  const request = `${mode}: ${step.method} ${step.path} ${JSON.stringify(step.body) ?? ''}`
  const listed = listedDifference(mode, step)
  if (listed === null) {
    assert.deepEqual(ours, connect, request)
    return null
  }
  const { name, why, holds } = listed
  assert.notDeepEqual(ours, connect, `${request} no longer differs: take ${name} off the step`)
  const answers = `connect: ${JSON.stringify(connect)}\nours: ${JSON.stringify(ours)}`
  assert.ok(holds(connect, ours), `${request} differs in another way than ${name} (${why})\n${answers}`)
  return name
}

const DEADLINE_MS = 60_000

/** Repeats `check` until it passes; fails with its last error. */
export async function eventually(what: string, check: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (Date.now() > deadline) {
        throw new Error(`not within ${DEADLINE_MS} ms: ${what}\n${(error as Error).message}`, { cause: error })
      }
      await sleep(100)
    }
  }
}

function listedDifference(mode: Mode, { differs, lenient }: Step): (Difference & { name: string }) | null {
  if (mode === 'byDefault' && lenient !== undefined) return { name: lenient, ...LENIENCIES[lenient] }
  return differs === undefined ? null : { name: differs, ...DIFFERENCES[differs] }
}

function bodyText(body: unknown): string {
  return typeof body === 'string' ? body : JSON.stringify(body)
}

function notSeen(table: Readonly<Record<string, Difference>>, seen: ReadonlyMap<string, number>): string[] {
  return Object.keys(table).filter((name) => !seen.has(name) && !table[name]!.sometimes)
}

/** Connect's answer when no rebalance is under way. During a rebalance Connect answers 409 or 500 with that word. */
async function settled(url: string, call: Call): Promise<Answer> {
  for (let attempt = 0; ; attempt++) {
    const answer = await send(url, call)
    const text = JSON.stringify(answer.body)
    if (attempt === 50 || answer.status < 409 || !/rebalance (was underway|is expected)/.test(text)) {
      return answer
    }
    if (/no known leader URL/.test(text)) return answer
    await sleep(200)
  }
}
