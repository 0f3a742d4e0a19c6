import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { messageOf, STANDARD } from '../../test/messages.ts'
import { readSettings } from '../settings/read.ts'
import { attributesToReceive, messageFilter } from './message-filter.ts'

const filter = (props: Readonly<Record<string, string>>, quotas = true) =>
  messageFilter(readSettings({ 'sqs.queue.url': STANDARD.url, 'kafka.topic': 't', ...props }), { quotas })
const policy = '{"kind":["order"]}'
const order = { kind: { dataType: 'String', stringValue: 'order' } }

describe('the filter of a configuration', () => {
  test('is none without a policy', () => {
    assert.equal(filter({}), null)
    assert.equal(filter({ 'sqs.message.filter.policy': ' ' }), null)
    assert.equal(
      filter({ 'sqs.message.filter.policy': policy, 'message.filtering.enabled': 'false  # If not needed' }),
      null,
    )
  })

  test('looks at attributes, or at the body', () => {
    const onAttributes = filter({ 'sqs.message.filter.policy': policy })!
    assert.equal(onAttributes.matches(messageOf('x', { attributes: order })), true)
    assert.equal(onAttributes.matches(messageOf('{"kind":"order"}')), false)
    for (const props of [
      { 'sqs.message.filter.policy': policy, 'sqs.message.filter.policy.scope': 'messagebody' },
      { 'message.filter.policy': policy },
    ]) {
      const onBody = filter(props)!
      assert.equal(onBody.matches(messageOf('{"kind":"order"}')), true)
      assert.equal(onBody.matches(messageOf('x', { attributes: order })), false)
    }
  })

  test('looks at what is within envelopes', () => {
    const body = JSON.stringify({
      Type: 'Notification',
      TopicArn: 'arn',
      Message: '{"kind":"order"}',
      MessageAttributes: { kind: { Type: 'String', Value: 'order' } },
    })
    const of = { 'sqs.message.filter.policy': policy, 'message.unwrap.envelopes': 'sns' }
    assert.equal(filter(of)!.matches(messageOf(body)), true)
    assert.equal(filter({ ...of, 'sqs.message.filter.policy.scope': 'MessageBody' })!.matches(messageOf(body)), true)
    assert.equal(filter({ 'sqs.message.filter.policy': policy })!.matches(messageOf(body)), false)
  })

  test('lets a message with too many envelopes pass to the conversion, which tells of it', () => {
    const of = {
      'sqs.message.filter.policy': policy,
      'message.unwrap.envelopes': 'sns',
      'message.unwrap.depth.max': '1',
    }
    const sns = (Message: string): string => JSON.stringify({ Type: 'Notification', TopicArn: 'arn', Message })
    assert.equal(filter(of)!.matches(messageOf(sns('x'))), false)
    assert.equal(filter(of)!.matches(messageOf(sns(sns('x')))), true)
  })

  test('refuses what is no policy on its key', () => {
    assert.throws(() => filter({ 'sqs.message.filter.policy': '{"kind":"order"}' }), {
      code: 'SQS_FILTER_POLICY',
      field: 'sqs.message.filter.policy',
    })
  })
})

describe('the attributes to receive', () => {
  const names = { attributeNames: ['kind', 'a'] }
  for (const [enabled, wanted, policyNames, expected] of [
    [true, null, names, ['All']],
    [true, '', null, ['All']],
    [true, 'a, All', names, ['All']],
    [true, ' a ,b.*,', null, ['a', 'b.*', 'traceparent', 'tracestate']],
    [true, 'a', names, ['a', 'kind', 'traceparent', 'tracestate']],
    [false, 'a', null, ['traceparent', 'tracestate']],
    [false, null, names, ['kind', 'a', 'traceparent', 'tracestate']],
  ] as const) {
    test(`${enabled ? 'on' : 'off'}, names ${wanted}, a policy on ${String(policyNames?.attributeNames)}`, () => {
      assert.deepEqual(attributesToReceive({ enabled, wanted }, policyNames), expected)
    })
  }
})
