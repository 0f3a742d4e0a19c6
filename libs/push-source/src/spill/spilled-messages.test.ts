import assert from 'node:assert/strict'
import { readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { type Clock, createTaskStats, MemoryBudget } from '@tributary/connect-api'
import type { Logger } from '@tributary/telemetry'
import { SpilledMessages } from './spilled-messages.ts'
import { temporaryFolder } from './testing.ts'

const LOG: Logger = { name: 'test', trace() {}, debug() {}, info() {}, warn() {}, error() {}, child: () => LOG }
const CLOCK: Clock = { now: () => 0, monotonic: () => 0, sleep: () => Promise.resolve() }

test('a folder that a crash left with a position and no message is removed', async (t) => {
  for (const position of ['', '0000000001000000 0000000000000042 123\n']) {
    const dir = await temporaryFolder(t)
    await writeFile(join(dir, 'position'), position)
    const messages = new SpilledMessages({
      dir,
      maxBytes: 1_000_000,
      codec: { encode: (bytes: Buffer) => bytes, decode: (bytes) => bytes },
      log: LOG,
      stats: createTaskStats(),
      memory: new MemoryBudget(Infinity).share(),
      clock: CLOCK,
    })
    assert.equal(await messages.take(10, new AbortController().signal), null)
    await messages.close()
    assert.deepEqual(await readdir(dirname(dir)), ['task.lock'])
  }
})
