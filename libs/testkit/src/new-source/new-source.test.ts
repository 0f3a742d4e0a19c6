import assert from 'node:assert/strict'
import { cpSync, existsSync, globSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { createSource } from './new-source.ts'

const repository = resolve(import.meta.dirname, '../../../..')

/** A folder with the generated pages of the repository, from which the generator knows the names that exist. */
function root(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-new-source-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const page of globSync('{apps,libs}/*/{ERRORS,CONFIG}.md', { cwd: repository })) {
    cpSync(join(repository, page), join(folder, page))
  }
  return folder
}

describe('a new source', () => {
  const taken: [name: string, why: RegExp][] = [
    ['websocket', /'websocket' is taken: apps\/ws-ingest\/CONFIG\.md has websocket\./],
    ['http', /'http' is taken: libs\/push-source\/ERRORS\.md has HTTP_/],
    ['kafka', /'kafka' is taken: .* has kafka\.topic/],
    ['errors', /'errors' is taken: .* has errors\./],
    ['name', /'name' is taken: .* has name\./],
  ]
  for (const [name, why] of taken) {
    it(`may not be called ${name}, and nothing is written`, (t) => {
      const folder = root(t)
      assert.throws(() => createSource(folder, name), why)
      assert.ok(!existsSync(join(folder, `apps/${name}-ingest`)))
    })
  }

  it('may have any other name', (t) => {
    const folder = root(t)
    assert.ok(existsSync(join(createSource(folder, 'web-hook'), 'src/spec.ts')))
    assert.ok(existsSync(join(createSource(folder, 'webs'), 'src/spec.ts')))
  })
})
