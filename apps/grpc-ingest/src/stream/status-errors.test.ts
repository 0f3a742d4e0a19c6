import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfigError, NotConnectedError } from '@tributary/connect-api'
import { StatusErrors } from './status-errors.ts'
import { localStatus, STATUS_NAMES, type StatusName } from '../transport/index.ts'
import { statusOfTrailers } from '../transport/status.ts'

describe('what the end of a stream means', () => {
  const final: readonly StatusName[] = ['INVALID_ARGUMENT', 'UNIMPLEMENTED']

  for (const status of STATUS_NAMES) {
    const kind = final.includes(status) ? ConfigError : NotConnectedError
    test(`${status}: ${kind.name}, the first time`, () => {
      const error = new StatusErrors('feed:1 a.B/C', 10_000).errorOf({ status, message: 'words', local: false })
      assert.ok(error instanceof kind)
      if (status !== 'OK') assert.match(error.message, new RegExp(`feed:1 a\\.B/C.*${status}: words`))
    })
  }

  test('refused credentials are final the third time, unless a message came in between', () => {
    const statusErrors = new StatusErrors('s', 10_000)
    const refuse = () => statusErrors.errorOf({ status: 'PERMISSION_DENIED', message: '', local: false })
    assert.deepEqual(
      [refuse(), refuse()].map((e) => e.kind),
      ['retriable', 'retriable'],
    )
    statusErrors.healthy()
    assert.deepEqual(
      [refuse(), refuse(), refuse()].map((e) => e.kind),
      ['retriable', 'retriable', 'config'],
    )
  })

  test('the end of a healthy stream by its credentials counts as no refusal', () => {
    for (const life of [
      { heard: true, lastedMs: 50 },
      { heard: false, lastedMs: 3_600_000 },
    ]) {
      const statusErrors = new StatusErrors('s', 10_000)
      const ends = Array.from({ length: 5 }, () => {
        return statusErrors.errorOf({ status: 'UNAUTHENTICATED', message: 'expired', local: false }, life).kind
      })
      assert.deepEqual(new Set(ends), new Set(['retriable']))
    }
  })

  test('only a stream that delivered messages and ended with OK was read to its end', () => {
    for (const [status, heard, readToEnd] of [
      ['OK', true, true],
      ['OK', false, false],
      ['UNAVAILABLE', true, false],
    ] as const) {
      const error = new StatusErrors('s', 10_000).errorOf(
        { status, message: '', local: false },
        { heard, lastedMs: 50 },
      )
      assert.equal(error.readToEnd, readToEnd)
    }
  })

  test('a status that no gRPC server sent is never final', () => {
    const statusErrors = new StatusErrors('s', 10_000)
    const kinds = ['UNIMPLEMENTED', 'PERMISSION_DENIED', 'PERMISSION_DENIED', 'PERMISSION_DENIED'] as const
    for (const kind of kinds) assert.equal(statusErrors.errorOf(localStatus(kind, '')).kind, 'retriable')
  })

  test('a wait that the server asks for goes to the runtime', () => {
    const trailers = { 'grpc-status': '14', 'grpc-retry-pushback-ms': '7000' }
    assert.equal(new StatusErrors('s', 10_000).errorOf(statusOfTrailers(trailers)!).retryAfterMs, 7000)
    assert.equal(new StatusErrors('s', 10_000).errorOf(localStatus('UNAVAILABLE', '')).retryAfterMs, undefined)
  })

  test('a message above our limit is for the user to settle', () => {
    const error = new StatusErrors('s', 10_000).errorOf({
      ...localStatus('RESOURCE_EXHAUSTED', 'sizes'),
      tooLarge: true,
    })
    assert.ok(error instanceof ConfigError)
    assert.equal(error.field, 'grpc.max.inbound.message.size')
  })
})
