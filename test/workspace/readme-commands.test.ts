import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../..')

/** Each command of the README, and what runs it. */
const RUN_BY: Readonly<Record<string, string>> = {
  'npm ci && npm start': 'test/e2e/start-demo.test.ts',
  'npm ci && npm test': '.ci/run',
  'npm run bench -- grpc': 'test/bench/run.ts',
  'npm run bench -- ws': 'test/bench/run.ts',
  'npm run bench -- control-plane': 'test/bench/run.ts',
  'npm start -- --help': 'test/e2e/start-refusals.test.ts',
  'npm run test:long': 'test/run.ts',
  'npm run topic -- demo.quotes': 'test/e2e/start-demo.test.ts',
  'curl -X POST http://localhost:8083/connectors': 'test/integration/examples/grpc-services.test.ts',
}

test('every command of the README is one that a test or CI runs', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const blocks = [...readme.matchAll(/```sh\n([^]*?)```/g)].map((block) => block[1]!.trim())
  const inline = [...readme.matchAll(/`(npm [^`]+)`/g)].map((match) => match[1]!)
  for (const command of [...blocks, ...inline]) {
    const known = Object.keys(RUN_BY).find((prefix) => command === prefix || command.startsWith(`${prefix} `))
    assert.ok(known ?? command === 'npm start', `no test is named for: ${command}`)
  }
  for (const [command, file] of Object.entries(RUN_BY)) assert.ok(existsSync(join(root, file)), `${command}: ${file}`)
})
