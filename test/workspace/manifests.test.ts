import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { isTestFile, packageOf } from './imports/layers.ts'
import { readImports } from './imports/read.ts'
import { projects, workspaceRoot } from './workspace.ts'

const imports = readImports()

describe('package.json', () => {
  for (const { folder, manifest } of projects()) {
    it(`of ${folder} depends on exactly what its code imports`, () => {
      const { production, tests } = packages(folder)
      assert.deepEqual(Object.keys(manifest.dependencies ?? {}).sort(), [...production].sort())
      assert.deepEqual(
        Object.keys(manifest.devDependencies ?? {}).sort(),
        [...tests].filter((name) => !production.has(name)).sort(),
      )
    })

    it(`of ${folder} exports files that exist`, () => {
      for (const [path, file] of Object.entries(manifest.exports ?? {})) {
        assert.ok(existsSync(join(workspaceRoot, folder, file)), `${folder}/${file}`)
        assert.equal(
          isTestFile(join(folder, file)),
          path === './testing',
          `${folder}/${file}: images leave out ./testing, and no other export`,
        )
      }
    })

    it(`of ${folder} is named after its folder`, () => {
      assert.equal(manifest.name, `@tributary/${folder.split('/')[1]}`)
    })
  }
})

/** @returns the names of the packages that the project's code imports, and of those that its tests import. */
function packages(folder: string): { production: Set<string>; tests: Set<string> } {
  const production = new Set<string>()
  const tests = new Set<string>()
  for (const { file, specifier } of imports) {
    if (!file.startsWith(`${folder}/`) || specifier.startsWith('.') || isBuiltin(specifier)) continue
    const found = isTestFile(file) ? tests : production
    found.add(packageOf(specifier))
  }
  return { production, tests }
}
