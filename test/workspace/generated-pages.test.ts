import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { pages, sourcePlugins } from './generated-pages.ts'
import { workspaceRoot } from './workspace.ts'

describe('the generated pages', async () => {
  for (const { path, text } of await pages()) {
    it(`${path} says what the code says`, () => {
      const file = join(workspaceRoot, path)
      assert.equal(existsSync(file) ? readFileSync(file, 'utf8') : '', text, `${path} is stale: npm run docs writes it`)
    })
  }
})

describe('the settings of a source', async () => {
  for (const { folder, plugins } of await sourcePlugins()) {
    it(`of ${folder} have a group, a name and plain words each`, () => {
      assert.ok(plugins.length > 0, `${folder}/src/index.ts exports no plugin`)
      for (const [key, { group, displayName, doc }] of plugins.flatMap(({ connector }) =>
        Object.entries(connector.spec.keys),
      )) {
        assert.ok(group, `${key} needs a group`)
        assert.ok(displayName, `${key} needs a displayName`)
        assert.ok(doc.endsWith('.'), `the doc of ${key} is no sentence`)
      }
    })
  }
})
