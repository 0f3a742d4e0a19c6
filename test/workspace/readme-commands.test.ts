import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readManifest, workspaceRoot as root } from './workspace.ts'

/** Each command of the README and of the pages in docs/, and what runs it. */
const RUN_BY: Readonly<Record<string, string>> = {
  'npm ci && npm start': 'test/e2e/start-demo.test.ts',
  'npm ci && npm test': '.ci/run',
  'npm run bench -- grpc': 'test/bench/run.ts',
  'npm run bench -- ws': 'test/bench/run.ts',
  'npm run bench -- sqs': 'test/bench/run.ts',
  'npm run bench -- transforms': 'test/bench/run.ts',
  'npm run bench -- converters': 'test/bench/run.ts',
  'npm run bench -- connect': 'test/bench/run.ts',
  'npm run bench -- tail': 'test/bench/run.ts',
  'npm run bench -- dead-letters': 'test/bench/run.ts',
  'npm run bench -- scale': 'test/bench/run.ts',
  'npm run bench -- memory': 'test/bench/run.ts',
  'npm run bench -- control-plane': 'test/bench/run.ts',
  'npm run bench -- rest': 'test/bench/run.ts',
  'npm run new-source -- web-hook': 'test/e2e/new-source.test.ts',
  'npm start -- --help': 'test/e2e/start-refusals.test.ts',
  'npm run docs': 'test/workspace/generated-pages.test.ts',
  'npm run prune-app': 'test/workspace/pruned-app.test.ts',
  'npm run lint': 'test/runner/stages.ts',
  'npm run test:long': 'test/run.ts',
  'npm test -- --quick': 'test/workspace/runner.test.ts',
  'npx node --test apps/sse-ingest/test/contract.test.ts': 'test/runner/stages.ts',
  'npx node --test test/workspace/adding-a-transform/shorten.test.ts': 'test/runner/stages.ts',
  'npx node apps/control-plane/src/main.ts --help': 'test/integration/process/service.test.ts',
  'npx node apps/control-plane/src/main.ts keys': 'test/integration/control-plane/keys.test.ts',
  'npx node apps/sse-ingest/src/main.ts --help': 'test/integration/process/service.test.ts',
  'npm run topic -- demo.quotes': 'test/e2e/start-demo.test.ts',
  'curl -H "Authorization: Bearer $KEY"': 'test/integration/control-plane/wires.test.ts',
  'curl -X POST "http://localhost:8083/connector-plugins/WebSocketSource/preview?records=3&seconds=10"':
    'test/integration/preview/websocket.test.ts',
  'curl -N "http://localhost:8083/connectors/quotes/tail?rate=10&seconds=60"': 'test/integration/tail/tail.test.ts',
  'npx tributary migrate': 'test/integration/migrate/migrate.test.ts',
  'curl -X POST http://localhost:8083/connectors': 'test/integration/examples/grpc-services.test.ts',
}

for (const page of ['README.md', ...globSync(['docs/*.md', 'docs/security/*.md'], { cwd: root })]) {
  test(`a test or CI runs every command of ${page}`, () => {
    const text = readFileSync(join(root, page), 'utf8')
    const blocks = [...text.matchAll(/```sh\n([^]*?)```/g)].map((block) => block[1]!.trim())
    // The body of a POST stands on lines of its own. In other blocks each line is a command.
    const lines = blocks.flatMap((block) => (block.startsWith('curl ') ? [block] : block.split('\n')))
    const inline = [...text.matchAll(/`(npm [^`]+)`/g)].map((match) => match[1]!)
    for (const command of [...lines, ...inline]) {
      const known = Object.keys(RUN_BY).find((prefix) => command === prefix || command.startsWith(`${prefix} `))
      assert.ok(known ?? command === 'npm start', `no test is named for: ${command}`)
    }
  })
}

test('the tests that run the commands exist', () => {
  for (const [command, file] of Object.entries(RUN_BY)) assert.ok(existsSync(join(root, file)), `${command}: ${file}`)
})

interface Command {
  /** The page, such as `libs/kafka/README.md`. */
  readonly page: string
  readonly text: string
}

/** Every command in a code block or in inline code of every page of the repository. */
function commands(): Command[] {
  const pages = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], { cwd: root, encoding: 'utf8' }).trim().split('\n').filter((page) => existsSync(join(root, page))) // prettier-ignore
  return pages.flatMap((page) => {
    const text = readFileSync(join(root, page), 'utf8')
    const blocks = [...text.matchAll(/```(?:sh|bash|console)?\n([^]*?)```/g)].flatMap((block) => block[1]!.split('\n'))
    const inline = [...text.matchAll(/`([^`\n]+)`/g)].map((match) => match[1]!)
    return [...blocks, ...inline]
      .flatMap((line) => line.split(/&&|\||;/))
      .map((part) => ({
        page,
        text: part
          .trim()
          .replace(/^\$ /, '')
          .replace(/^(\w+=\S* )+/, ''),
      }))
  })
}

/**
 * @returns why the command would not run on a machine whose own Node is older than the project's; null when it would
 * run.
 */
function flaw({ text }: Command): string | null {
  const [program, ...words] = text.split(/\s+/)
  const script = words.find((word) => word.endsWith('.ts'))
  if (program === 'node' && script !== undefined) return `write \`npx node ${script}\`, or make it an npm script`
  if (program === 'npx' && script !== undefined && !/[<…*]|\bx\./.test(script) && !existsSync(join(root, script))) {
    return `there is no ${script}`
  }
  if (program === 'npx' && !existsSync(join(root, 'node_modules/.bin', words[0] ?? '')))
    return `npm ci brings no ${words[0]}`
  if (program === 'npm' && words[0] === 'run') {
    const name = words.find((word, i) => i > 0 && !word.startsWith('-')) ?? ''
    const folder = words.includes('-w') ? (words[words.indexOf('-w') + 1] ?? '') : '.'
    const { scripts } = readManifest(join(root, folder))
    if (scripts?.[name] === undefined) return `${folder}/package.json has no script ${name}`
  }
  return null
}

test('every command in every README runs, whichever Node the machine has', () => {
  const all = commands()
  assert.ok(all.some(({ text }) => text.startsWith('npx node ')))
  const flaws = all.flatMap((command) => {
    const found = flaw(command)
    return found === null ? [] : [`${command.page}: \`${command.text}\`: ${found}`]
  })
  assert.deepEqual(flaws, [])
})

for (const [text, expected] of [
  ['node apps/ws-ingest/src/main.ts', /^write `npx node /],
  ['npx node apps/ws-ingest/src/gone.ts', /^there is no /],
  ['npx gone', /^npm ci brings no gone$/],
  ['npm run gone', /^\.\/package\.json has no script gone$/],
  ['npm run gone -w apps/ws-ingest', /^apps\/ws-ingest\/package\.json has no script gone$/],
] as const) {
  test(`\`${text}\` would be found`, () => assert.match(flaw({ page: 'x.md', text }) ?? '', expected))
}
