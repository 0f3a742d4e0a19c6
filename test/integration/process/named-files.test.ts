import { temporaryFolder } from '@tributary/harness'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Props, SourcePlugin } from '@tributary/connect-api'
import { grpcSource } from '../../../apps/grpc-ingest/src/plugin.ts'
import { sqsSource } from '../../../apps/sqs-ingest/src/plugin.ts'
import { sseSource } from '../../../apps/sse-ingest/src/plugin.ts'
import { websocketSource } from '../../../apps/ws-ingest/src/plugin.ts'

const folder = temporaryFolder('named-files')
const pipe = join(folder, 'pipe')
execFileSync('mkfifo', [pipe])
/** A file of 1 TiB that takes no room. */
const endless = join(folder, 'endless')
writeFileSync(endless, '')
truncateSync(endless, 2 ** 40)

/** A file that is never to be read as a whole, and what the error says of it. */
const FILES = [
  ['/dev/zero', /it is no regular file/],
  ['/dev/ptmx', /it is no regular file/],
  [pipe, /it is no regular file/],
  [endless, /it is larger than \d+ bytes/],
] as const

/** A body whose schema a registry has, over TLS. */
const REGISTRY: Props = {
  'value.format': 'json',
  'value.schema.subject': 's',
  'schema.registry.url': 'https://127.0.0.1:1',
}

const SOURCES: readonly (readonly [SourcePlugin, Props])[] = [
  [
    websocketSource,
    {
      'websocket.url': 'ws://127.0.0.1:1',
      'sequence.field': 'n',
      'backfill.url': 'http://127.0.0.1:1',
      ...REGISTRY,
    },
  ],
  [sseSource, { 'sse.url': 'http://127.0.0.1:1', ...REGISTRY }],
  [
    grpcSource,
    {
      'grpc.server.host': '127.0.0.1',
      'grpc.server.port': '1',
      'grpc.service.name': 'a.B',
      'grpc.method.name': 'C',
      'grpc.tls.enabled': 'true',
      'grpc.oauth.token.url': 'https://127.0.0.1:1',
      'grpc.oauth.client.id': 'a',
      'grpc.oauth.client.secret': 'b',
    },
  ],
  [sqsSource, { 'sqs.queue.url': 'q', 'aws.region': 'eu-west-1', 'aws.credentials.profile': 'p', ...REGISTRY }],
]
/** A setting that names a file says so in its documentation. */
const NAMES_A_FILE = /\bpath of a (?:PEM file|descriptor set|credentials file)/i

for (const [plugin, base] of SOURCES) {
  describe(`${plugin.class}, asked whether a configuration is valid`, () => {
    const keys = Object.entries(plugin.connector.spec.keys).filter(([, { doc }]) => NAMES_A_FILE.test(doc))
    assert.ok(keys.length > 0)
    for (const [key] of keys) {
      test(`reads neither device nor pipe nor endless file for ${key}`, async () => {
        for (const [path, reason] of FILES) {
          // A certificate needs its key, and the other way round.
          const [, of] = /^(.*\.client\.)(?:cert|key)$/.exec(key) ?? []
          const pair = of === undefined ? {} : { [`${of}cert`]: path, [`${of}key`]: path }
          const props = { name: 'c', 'kafka.topic': 't', 'tasks.max': '1', ...base, ...pair, [key]: path }
          const before = process.memoryUsage.rss()
          const errors = await plugin.connector.validate!(props, AbortSignal.timeout(20_000))
          const error = errors.find(({ field }) => field === key)
          assert.match(error?.message ?? `${path}: ${JSON.stringify(errors)}`, reason)
          assert.ok(process.memoryUsage.rss() - before < 200 * 1024 * 1024, path)
        }
      })
    }
  })
}
