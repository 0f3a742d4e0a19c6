import assert from 'node:assert/strict'
import { until } from '../support/until.ts'
import { send } from '../support/rest-call.ts'

/** The states of a connector and of its tasks, in their order; 'absent' when there is no such connector. */
export type States = readonly string[] | 'absent'

/** Reads the states from `GET /connectors/{connector}/status` of the REST API at `url`. */
export async function statesOf(url: string, connector: string): Promise<States> {
  const { status, body } = await send(url, { method: 'GET', path: `/connectors/${connector}/status` })
  if (status === 404) return 'absent'
  assert.equal(status, 200, JSON.stringify(body))
  const { connector: own, tasks } = body as { connector: { state: string }; tasks: { state: string }[] }
  return [own.state, ...tasks.map(({ state }) => state)]
}

/** Waits until the connector and its tasks have the given states. */
export async function inStates(url: string, connector: string, states: States): Promise<void> {
  let last: States = 'absent'
  const reached = async (): Promise<boolean> => {
    last = await statesOf(url, connector)
    return String(last) === String(states)
  }
  await until(`${connector} is ${String(states)}`, reached, 60_000).catch((error: unknown) => {
    throw new Error(`${connector} is ${String(last)} instead of ${String(states)}`, { cause: error })
  })
}
