import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { projects, workspaceRoot } from './workspace.ts'

describe('each app and lib', () => {
  for (const { folder } of projects()) {
    const entry = folder.startsWith('apps/') ? 'src/main.ts' : 'src/index.ts'

    it(`${folder} has a README that names its entry point`, () => {
      const text = readFileSync(join(workspaceRoot, folder, 'README.md'), 'utf8')
      assert.ok(text.includes(entry), `${folder}/README.md does not name ${entry}`)
      assert.ok(existsSync(join(workspaceRoot, folder, entry)), `${folder}/${entry} does not exist`)
    })
  }
})
