import assert from 'node:assert/strict'
import { constants } from 'node:http2'
import { describe, test } from 'node:test'
import { statusOfHttp, statusOfReset, statusOfTrailers } from './status.ts'

describe('the status of a call', () => {
  test("is the trailers', its words decoded", () => {
    const received = statusOfTrailers({ 'grpc-status': '7', 'grpc-message': 'nicht f%C3%BCr dich' })
    assert.deepEqual(received, { status: 'PERMISSION_DENIED', message: 'nicht für dich', local: false })
    assert.equal(statusOfTrailers({ 'grpc-status': '3', 'grpc-message': '100%' })?.message, '100%')
    assert.equal(
      statusOfTrailers({ 'grpc-status': '3', 'grpc-message': '100% f%C3%BCr %ZZ%c3' })?.message,
      '100% für %ZZ\uFFFD',
    )
    assert.equal(statusOfTrailers({ 'grpc-status': '99' })?.status, 'UNKNOWN')
    assert.equal(statusOfTrailers({ 'content-type': 'text/html' }), null)
  })

  test('has the details that the server added', () => {
    // Made with Python's googleapis-common-protos: ErrorInfo, RetryInfo, QuotaFailure, BadRequest, and an Any of another type.
    const details =
      'CAgSCXNsb3cgZG93bhpNCih0eXBlLmdvb2dsZWFwaXMuY29tL2dvb2dsZS5ycGMuRXJyb3JJbmZvEiEKBVFVT1RBEgtleGFtcGxlLmNvbRoLCg' +
      'VsaW1pdBICMTAaNgoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIKCggIARCAyrXuARpMCit0eXBlLmdvb2dsZWFw' +
      'aXMuY29tL2dvb2dsZS5ycGMuUXVvdGFGYWlsdXJlEh0KGwoJcHJvamVjdDoxEg50b28gbWFueSBjYWxscxpLCil0eXBlLmdvb2dsZWFwaXMuY2' +
      '9tL2dvb2dsZS5ycGMuQmFkUmVxdWVzdBIeChwKCnN5bWJvbHNbMF0SDnVua25vd24gc3ltYm9sGiIKHHR5cGUuZXhhbXBsZS5jb20vYWNtZS5D' +
      'dXN0b20SAggB'
    const status = statusOfTrailers({
      'grpc-status': '8',
      'grpc-message': 'slow down',
      'grpc-status-details-bin': details,
    })
    assert.equal(
      status?.message,
      'slow down (ErrorInfo: QUOTA example.com limit 10; RetryInfo: 1500 ms; QuotaFailure: project:1 too many calls; BadRequest: symbols[0] unknown symbol; acme.Custom)',
    )
    assert.equal(status?.retryAfterMs, 1500)
    const broken = { 'grpc-status': '8', 'grpc-message': 'slow down', 'grpc-status-details-bin': 'GgD/' }
    assert.equal(statusOfTrailers(broken)?.message, 'slow down')
  })

  test("follows gRPC's table where the answer is plain HTTP", () => {
    const statuses = [400, 401, 403, 404, 429, 502, 503, 504, 418].map((code) => statusOfHttp(code))
    assert.deepEqual(statuses, [
      'INTERNAL',
      'UNAUTHENTICATED',
      'PERMISSION_DENIED',
      'UNIMPLEMENTED',
      'UNAVAILABLE',
      'UNAVAILABLE',
      'UNAVAILABLE',
      'UNAVAILABLE',
      'UNKNOWN',
    ])
  })

  test('follows the code of a reset', () => {
    const { NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_INTERNAL_ERROR, NGHTTP2_REFUSED_STREAM } = constants
    assert.equal(statusOfReset(NGHTTP2_REFUSED_STREAM, '').status, 'UNAVAILABLE')
    assert.equal(statusOfReset(NGHTTP2_ENHANCE_YOUR_CALM, '').status, 'RESOURCE_EXHAUSTED')
    assert.equal(statusOfReset(NGHTTP2_INTERNAL_ERROR, '').status, 'INTERNAL')
    const cancelled = statusOfReset(NGHTTP2_CANCEL, '')
    assert.deepEqual([cancelled.status, /the server cancelled the stream/.test(cancelled.message)], ['CANCELLED', true])
  })
})
