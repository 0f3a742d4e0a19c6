import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../both-sides.ts'
import { comparable } from '../comparable.ts'
import { inStates, type States } from '../connector-states.ts'
import type { Client, Outcome } from './client.ts'
import type { Sides } from './client-sides.ts'

/** One command of a client's user. */
export interface ClientStep {
  readonly given?: () => Promise<void>
  readonly words: readonly string[]
  /**
   * How the output is judged. `same`: it equals the output against Connect. `settles`: it equals the output against
   * Connect when both sides are at rest; for reads. A pattern: the output on both sides matches it; for output that
   * cannot be compared.
   */
  readonly prints: 'same' | 'settles' | RegExp
  /** What REST shows of a connector on both sides when the command has taken effect. */
  readonly then?: readonly [connector: string, states: States]
}

/** Lets both clients do each step, in order, and checks that a user cannot distinguish the sides. */
export async function runScript(
  sides: Sides<string>,
  clients: Sides<Client>,
  steps: readonly ClientStep[],
): Promise<void> {
  for (const step of steps) {
    const { given, words, prints, then } = step
    await given?.()
    const what = words.join(' ')
    if (prints === 'settles') await eventually(`${what} prints the same`, () => compare(sides, clients, step))
    else await compare(sides, clients, step)
    if (then === undefined) continue
    const [connector, states] = then
    for (const url of [sides.connect, sides.ours]) await inStates(url, connector, states)
  }
}

async function compare(sides: Sides<string>, clients: Sides<Client>, { words, prints }: ClientStep): Promise<void> {
  const [connect, ours] = await Promise.all([settled(clients.connect, words), clients.ours(...words)])
  const what = words.join(' ')
  if (prints instanceof RegExp) {
    for (const [side, outcome] of Object.entries({ connect, ours })) {
      assert.match(outcome.output, prints, `${what} against ${side}`)
    }
    assert.equal(ours.exitCode, connect.exitCode, what)
  } else {
    assert.deepEqual(shown(ours, sides.ours), shown(connect, sides.connect), what)
  }
}

/**
 * Runs a command. Against Connect the command may have to be repeated, because Connect refuses some commands while it
 * rebalances.
 */
async function settled(client: Client, words: readonly string[]): Promise<Outcome> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await client(...words)
    if (attempt === 50 || !/rebalance/i.test(outcome.output)) return outcome
    await sleep(200)
  }
}

/**
 * Makes output comparable: JSON is parsed and the worker's address is removed; the side's own address is removed from
 * text.
 */
function shown({ exitCode, output }: Outcome, url: string): unknown {
  try {
    const body: unknown = JSON.parse(output.replace(/(?<="workerId":")[^"]*/g, '<worker>'))
    return { exitCode, ...comparable({ status: 0, contentType: null, location: null, allow: null, body }) }
  } catch {
    const { host, origin } = new URL(url)
    const shown = [url, origin].reduce((text, address) => text.replaceAll(address, '<url>'), output)
    return { exitCode, output: shown.replaceAll(host, '<address>') }
  }
}
