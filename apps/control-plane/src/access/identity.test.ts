import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatGrant, parseGrant, parseGrants } from './identity.ts'

test('a grant is a role, with or without configurations, for every connector or for a pattern', () => {
  assert.deepEqual(parseGrant('viewer'), { role: 'viewer', configs: false, records: false, connectors: '*' })
  assert.deepEqual(parseGrant('operator:orders-*'), {
    role: 'operator',
    configs: false,
    records: false,
    connectors: 'orders-*',
  })
  assert.deepEqual(parseGrant('viewer+configs:a:b'), {
    role: 'viewer',
    configs: true,
    records: false,
    connectors: 'a:b',
  })
  assert.deepEqual(parseGrant('admin'), { role: 'admin', configs: true, records: true, connectors: '*' })
  assert.deepEqual(parseGrant('admin-configs:ci-*'), {
    role: 'admin',
    configs: false,
    records: true,
    connectors: 'ci-*',
  })
})

test('the text of a grant is read back as the same grant', () => {
  for (const text of [
    'viewer',
    'viewer+configs',
    'viewer+records:a',
    'operator+configs+records',
    'operator:orders-*',
    'operator+configs:a b',
    'admin',
    'admin:x',
    'admin-configs',
    'admin-configs:x',
  ]) {
    assert.equal(formatGrant(parseGrant(text)), text)
  }
  assert.equal(formatGrant(parseGrant('admin+configs:*')), 'admin')
})

test('grants are separated by commas', () => {
  assert.deepEqual(parseGrants(' operator:orders-* , viewer,').map(formatGrant), ['operator:orders-*', 'viewer'])
})

test('a grant that is not understood gives no right, and is named with its reason', () => {
  const refused: [string, RegExp][] = [
    ['', /no grant is given/],
    [' , ', /no grant is given/],
    ['root', /"root" is no role; roles are viewer, operator, admin/],
    ['Admin', /"Admin" is no role/],
    ['__proto__', /is no role/],
    ['admin-configs:', /the pattern after the colon is empty/],
    ['viewer-configs', /is no role/],
    ['viewer+', /only \+configs and \+records may follow/],
    ['viewer+secrets', /only \+configs and \+records may follow/],
    ['viewer+configs+configs', /once/],
    ['viewer:', /the pattern after the colon is empty/],
    [':orders', /"" is no role/],
    ['viewer, admni', /"admni" is no role/],
  ]
  for (const [text, why] of refused) assert.throws(() => parseGrants(text), why, text)
  assert.throws(() => parseGrant('viewer:a,b'), /no comma/)
})
