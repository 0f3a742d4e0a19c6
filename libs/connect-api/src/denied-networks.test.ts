import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DeniedNetworks } from './denied-networks.ts'

for (const [entry, denied, allowed] of [
  ['loopback', ['127.0.0.1', '127.9.9.9', '0.0.0.0', '::1', '::', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1', '::ffff:7f00:1', '::127.0.0.1'], ['128.0.0.1', '1::2']], // prettier-ignore
  ['link-local', ['169.254.0.1', 'fe80::1', 'fe80::1%eth0', 'FEBF::1', '::ffff:169.254.1.1'], ['169.253.0.1', 'fec0::1']], // prettier-ignore
  ['metadata', ['169.254.169.254', '::ffff:a9fe:a9fe', '64:ff9b::169.254.169.254', '2002:a9fe:a9fe::1', 'fd00:ec2::254', '100.100.100.200'], ['169.254.169.253']], // prettier-ignore
  ['private', ['10.0.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', 'fd12::1', '64:ff9b::a00:1'], ['172.32.0.1', '9.9.9.9', '2001:db8::1']], // prettier-ignore
  ['203.0.113.0/24', ['203.0.113.77', '::ffff:203.0.113.1'], ['203.0.114.1', '2001:db8::1']],
  ['203.0.113.7', ['203.0.113.7'], ['203.0.113.8']],
  ['2001:db8::/32', ['2001:db8:1::1'], ['2001:db9::1', '1.2.3.4']],
  ['0.0.0.0/0', ['1.2.3.4', '::ffff:1.2.3.4'], ['2001:db8::1']],
] as const) {
  test(`${entry} denies its addresses, however they are written, and no others`, () => {
    const networks = new DeniedNetworks(['198.51.100.1', entry])
    for (const address of denied) assert.equal(networks.denies(address), entry, address)
    for (const address of allowed) assert.equal(networks.denies(address), null, address)
  })
}

for (const entry of [
  'localhost',
  '10.0.0.0/33',
  '::/129',
  '10.0.0.0/8/8',
  '10.0.0.0/',
  '10.0.0',
  '',
  'constructor',
  '10.0.0.0/-1',
]) {
  test(`'${entry}' is no network`, () => {
    assert.throws(() => new DeniedNetworks([entry]), { name: 'TypeError', message: /is no address, no network such as 10\.0\.0\.0\/8, and none of loopback, link-local/ }) // prettier-ignore
  })
}
