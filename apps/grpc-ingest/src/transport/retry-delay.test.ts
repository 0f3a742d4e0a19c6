import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { retryDelayMs } from './retry-delay.ts'

const text = (value: string): Buffer => Buffer.from(value)
const chunk = (number: number, bytes: Uint8Array): Buffer => Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]) // prettier-ignore
const any = (type: string, value: Uint8Array): Buffer =>
  chunk(3, Buffer.concat([chunk(1, text(`type.googleapis.com/${type}`)), chunk(2, value)]))
/** 3.5 s: seconds 3, nanos 500,000,000. */
const DURATION = Buffer.from([0x08, 3, 0x10, 0x80, 0xca, 0xb5, 0xee, 0x01])
const details = (...anys: Buffer[]): string =>
  Buffer.concat([Buffer.from([0x08, 14]), chunk(2, text('busy')), ...anys])
    .toString('base64')
    .replace(/=+$/, '')

const RETRY_INFO = any('google.rpc.RetryInfo', chunk(1, DURATION))

describe('the wait that a server asks for', () => {
  test('is the pushback of gRPC', () => {
    assert.equal(retryDelayMs({ 'grpc-retry-pushback-ms': '1500' }), 1500)
    assert.equal(retryDelayMs({ 'grpc-retry-pushback-ms': '1500', 'grpc-status-details-bin': details(RETRY_INFO) }), 1500) // prettier-ignore
  })

  test('is the RetryInfo among the details', () => {
    const other = any('google.rpc.DebugInfo', chunk(2, text('x')))
    assert.equal(retryDelayMs({ 'grpc-status-details-bin': details(other, RETRY_INFO) }), 3500)
  })

  test('is none without a word, nor with "do not retry", nor with malformed details', () => {
    assert.equal(retryDelayMs({}), undefined)
    assert.equal(retryDelayMs({ 'grpc-retry-pushback-ms': '-1' }), undefined)
    assert.equal(retryDelayMs({ 'grpc-retry-pushback-ms': 'soon' }), undefined)
    assert.equal(retryDelayMs({ 'grpc-status-details-bin': details(any('google.rpc.RetryInfo', Buffer.of())) }), undefined) // prettier-ignore
    assert.equal(retryDelayMs({ 'grpc-status-details-bin': Buffer.of(0x1a, 0x7f, 1).toString('base64') }), undefined)
  })
})
