import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'

const SCRIPT = new URL('acls.sh', import.meta.url).pathname

function printed(cluster: string, topics: string): { status: number | null; out: string; err: string } {
  const args = [
    '--print',
    '--cluster',
    cluster,
    '--control-plane',
    'User:c',
    '--ingest',
    'ws=User:w',
    '--topics',
    topics,
  ]
  const { status, stdout, stderr } = spawnSync('sh', [SCRIPT, ...args], { encoding: 'utf8' })
  return { status, out: stdout, err: stderr }
}

test('a beginning of topics that covers the API keys, the audit log, the history or the replays is refused', () => {
  for (const topics of [
    't',
    'tributary-',
    'tributary-connect-',
    'tributary-connect-access',
    'tributary-connect-audit',
    'tributary-connect-history',
    'tributary-connect-dead-letters',
  ]) {
    const { status, out, err } = printed('tributary', topics)
    assert.deepEqual([status, out], [2, ''], topics)
    assert.match(
      err,
      /would let the workers write API keys, the audit log, the history and the replays of the cluster tributary/,
    )
  }
  for (const topics of ['orders-', 'tributary-orders-', '*'])
    assert.equal(printed('tributary', topics).status, 0, topics)
})

test('a name that is no name of a cluster is refused, and so is none', () => {
  for (const cluster of ['', 'a b', 'a;b', '*']) {
    const { status, out, err } = printed(cluster, 'orders-')
    assert.deepEqual([status, out], [2, ''], cluster)
    assert.match(err, /is no name of a cluster/)
  }
})
