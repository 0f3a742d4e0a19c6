import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { run } from './main.ts'

async function help(...command: string[]): Promise<string> {
  let text = ''
  const write = (part: string): string => (text += part)
  const code = await run([...command, '--help'], {
    ...{ stdin: new PassThrough().end(), stdout: { write }, stderr: { write } },
    ...{ env: { XDG_CONFIG_HOME: '/nonexistent' }, interrupted: new AbortController().signal },
  })
  assert.equal(code, 0)
  return text
}

const COMMANDS = 'list status health get history diff plugins tail create apply delete rollback migrate pause resume stop restart validate preview plan login logout completion dlq offsets' // prettier-ignore
const OF_DLQ = 'list show stats replay replays discard annotate reopen'
const OF_OFFSETS = 'get set reset'

test('every page of help fits a screen of 24 lines and 80 columns', async () => {
  const pages = [
    [],
    ...COMMANDS.split(' ').map((name) => [name]),
    ...OF_DLQ.split(' ').map((name) => ['dlq', name]),
    ...OF_OFFSETS.split(' ').map((name) => ['offsets', name]),
  ]
  for (const page of pages) {
    const lines = (await help(...page)).trimEnd().split('\n')
    assert.ok(lines.length > 2, `${page.join(' ')} has no help`)
    assert.ok(lines.length <= 24, `${page.join(' ')} has ${lines.length} lines`)
    for (const line of lines) assert.ok(line.length <= 80, `${page.join(' ')}: ${line}`)
  }
})
