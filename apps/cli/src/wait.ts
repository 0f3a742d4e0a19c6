import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from './client.ts'
import { CliError, EXIT, HttpError } from './cli-error.ts'
import { reasonOf, type Status, statusOf } from './connect.ts'

const POLL_MS = 250
/** A change reaches the tasks within this time: a state from before it counts only when it is still there afterwards. */
const SETTLE_MS = 1000
/** A connector that is PAUSED or STOPPED for so long was not resumed by the change. */
const REST_MS = 5000

export interface Waited {
  readonly timeoutMs: number
  /** What is waited for. */
  readonly until: 'RUNNING' | 'PAUSED' | 'STOPPED'
  /** The change has ended a pause or a stop, so that one is waited out. */
  readonly resumed?: boolean
}

/** Resolves when the connector and its tasks have the state. Throws when one is FAILED, with the reason, and after the time. */
export async function waitFor(
  client: Client,
  name: string,
  { timeoutMs, until, resumed = false }: Waited,
): Promise<Status> {
  const begin = Date.now()
  let seen = { what: '', state: '', since: 0 }
  for (;;) {
    const status = await statusOrNull(client, name)
    const what = judged(status, until)
    const now = Date.now()
    const state = status?.connector.state ?? ''
    if (seen.what !== what || seen.state !== state) seen = { what, state, since: now }
    if (what !== 'pending' && now - seen.since >= SETTLE_MS) {
      if (what === 'there') return status!
      throw new CliError(EXIT.failed, `${name} is FAILED: ${failureOf(status!)}`, `\`tributary status ${name}\` shows its tasks; after the mend: \`tributary restart ${name} --wait\`.`) // prettier-ignore
    }
    if (until === 'RUNNING' && !resumed && (state === 'PAUSED' || state === 'STOPPED') && now - seen.since >= REST_MS) {
      throw new CliError(EXIT.differs, `${name} is ${state}, so its tasks do not run.`, `\`tributary resume ${name} --wait\` runs them.`) // prettier-ignore
    }
    if (now - begin > timeoutMs) {
      throw new CliError(
        EXIT.differs,
        `${name} is not ${until} after ${timeoutMs / 1000} s: ${summary(status)}.`,
        '`--wait-for SECONDS` waits longer; `tributary health` says more.',
      )
    }
    await sleep(POLL_MS)
  }
}

/** There is no status before the first one is written. */
async function statusOrNull(client: Client, name: string): Promise<Status | null> {
  try {
    return await statusOf(client, name)
  } catch (error) {
    if (error instanceof HttpError && error.status === 404) return null
    throw error
  }
}

function judged(status: Status | null, until: Waited['until']): 'pending' | 'there' | 'failed' {
  if (status === null) return 'pending'
  const states = [status.connector, ...status.tasks].map(({ state }) => state)
  if (states.includes('FAILED')) return 'failed'
  // A connector that is paused out of a stop has no tasks before it is resumed.
  const enough = until === 'PAUSED' || (until === 'STOPPED') === (status.tasks.length === 0)
  return enough && states.every((state) => state === until) ? 'there' : 'pending'
}

function failureOf({ connector, tasks }: Status): string {
  const failed = tasks.find(({ state }) => state === 'FAILED')
  const { trace } = connector.state === 'FAILED' ? connector : (failed ?? connector)
  return reasonOf(trace) || 'it says no reason.'
}

function summary(status: Status | null): string {
  if (status === null) return 'it has no status yet'
  const tasks = status.tasks.length === 0 ? 'no tasks' : `tasks ${status.tasks.map(({ state }) => state).join(', ')}`
  return `the connector is ${status.connector.state}, ${tasks}`
}
