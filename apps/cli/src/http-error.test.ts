import assert from 'node:assert/strict'
import test from 'node:test'
import type { CliError } from './cli-error.ts'
import type { Client } from './client.ts'
import { milliseconds } from './config.ts'
import { httpError, type Refusal } from './http-error.ts'
import { waitFor } from './wait.ts'

const refusal: Refusal = {
  method: 'POST',
  path: '/connectors/c/config/rollback',
  status: 409,
  body: { message: 'The history does not keep secrets, and the present configuration of the connector c lacks p.' },
  server: 'http://localhost:8083',
  retryAfter: null,
  known: false,
}

test('a rollback that lacks secrets says how to send them, and not to try again', () => {
  assert.equal(httpError(refusal).advice, 'Write them into a file, and name it by `--secrets FILE`.')
  const busy = { ...refusal, body: { message: 'Cannot complete request momentarily' } }
  assert.equal(httpError(busy).advice, 'Try again in some seconds.')
})

test('only what passes by itself is to be tried again, and a source that is away is no fault of the server', () => {
  const adviceOf = (status: number, message: string): string | null =>
    httpError({ ...refusal, path: '/dlq/replay/r', status, body: { message } }).advice
  assert.equal(adviceOf(409, 'Cannot complete request because of a conflicting operation (e.g. worker rebalance)'), 'Try again in some seconds.') // prettier-ignore
  assert.equal(adviceOf(409, 'Replay r has ended already: it is completed'), null)
  assert.equal(adviceOf(502, 'The source cannot be read: connect ECONNREFUSED'), null)
  assert.match(adviceOf(500, 'broken')!, /^`tributary health`/)
})

test('a connector that rests is not waited for, unless it was resumed', async () => {
  const asked = { get: async () => ({ name: 'c', type: 'source', connector: { state: 'STOPPED', worker_id: 'w' }, tasks: [] }) } // prettier-ignore
  const terms = { timeoutMs: 7000, until: 'RUNNING' } as const
  const ends = (resumed: boolean): Promise<unknown> =>
    waitFor(asked as unknown as Client, 'c', { ...terms, resumed }).catch((error: unknown) => error)
  const [rests, resumed] = (await Promise.all([ends(false), ends(true)])) as CliError[]
  assert.deepEqual([rests!.message, rests!.advice, rests!.exitCode], ['c is STOPPED, so its tasks do not run.', '`tributary resume c --wait` runs them.', 6]) // prettier-ignore
  assert.match(resumed!.message, /^c is not RUNNING after 7 s/)
})

test('a time that is none is refused with the times that may be given', () => {
  assert.equal(milliseconds('0.5'), 500)
  for (const text of ['0', '-1', 'abc', '86401']) {
    assert.throws(() => milliseconds(text, '--wait-for'), {
      message: `--wait-for ${text} is no number of seconds above 0, up to 86400.`,
    })
  }
})
