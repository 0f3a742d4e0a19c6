import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { sharedKafka, startChild, temporaryFolder, type Child } from '@tributary/harness'
import { pruneApp } from '../../../deploy/image/prune.ts'
import { until } from '../../support/until.ts'

describe('grpc-ingest in a pruned copy outside the workspace', () => {
  const folder = temporaryFolder('pruned')
  const logFile = join(folder, 'service.log')
  let service: Child | undefined

  before(async () => {
    const main = pruneApp('grpc-ingest', join(folder, 'app'))
    const { brokers } = await sharedKafka()
    service = await startChild({
      command: process.execPath,
      args: ['main.js'],
      cwd: dirname(main),
      logFile,
      env: {
        KAFKA_BROKERS: brokers.join(','),
        TRIBUTARY_CLUSTER: `pruned-${randomUUID().slice(0, 8)}`,
        TRIBUTARY_ADMIN_PORT: '0',
        TRIBUTARY_INTERNAL_KEY: randomUUID(),
      },
    })
  })

  after(() => service?.stop())

  /** The log of the process so far. Throws an error with the log when the service has ended. */
  async function log(): Promise<string> {
    const text = await readFile(logFile, 'utf8')
    assert.equal(service?.exit, undefined, text)
    return text
  }

  it('starts, is ready, and stops on SIGTERM', async () => {
    const address = await until(
      'its address in the log',
      async () => /event=service_started.* address="?([\w.:]+)/.exec(await log())?.[1],
    )
    await until('it is ready', async () => {
      await log()
      return (await fetch(`http://${address}/ready`).catch(() => null))?.ok
    })
    await service?.stop()
    assert.deepEqual(service?.exit, { code: 0, signal: null })
  })
})
