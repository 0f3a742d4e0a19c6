import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import ts from 'typescript'
import { isTestFile, packageOf } from './imports/layers.ts'
import { projects, workspaceRoot } from './workspace.ts'

describe('package.json', () => {
  for (const { folder, manifest } of projects()) {
    it(`of ${folder} depends on exactly what its code imports`, () => {
      const { production, tests } = imports(folder)
      assert.deepEqual(Object.keys(manifest.dependencies ?? {}).sort(), [...production].sort())
      assert.deepEqual(
        Object.keys(manifest.devDependencies ?? {}).sort(),
        [...tests].filter((name) => !production.has(name)).sort(),
      )
    })

    it(`of ${folder} exports files that exist`, () => {
      for (const file of Object.values(manifest.exports ?? {})) {
        assert.ok(existsSync(join(workspaceRoot, folder, file)), `${folder}/${file}`)
      }
    })

    it(`of ${folder} is named after its folder`, () => {
      assert.equal(manifest.name, `@tributary/${folder.split('/')[1]}`)
    })
  }
})

/** @returns the names of the packages that the project's code imports, and of those that its tests import. */
function imports(folder: string): { production: Set<string>; tests: Set<string> } {
  const cwd = join(workspaceRoot, folder)
  const production = new Set<string>()
  const tests = new Set<string>()
  for (const file of globSync('**/*.ts', { cwd, exclude: ['node_modules/**'] })) {
    const found = isTestFile(`${folder}/${file}`) ? tests : production
    const { importedFiles } = ts.preProcessFile(readFileSync(join(cwd, file), 'utf8'))
    for (const { fileName } of importedFiles) {
      // The scanner mistakes the import of a .proto text in a string for an import of TypeScript.
      if (fileName.endsWith('.proto')) continue
      if (!fileName.startsWith('.') && !isBuiltin(fileName)) found.add(packageOf(fileName))
    }
  }
  return { production, tests }
}
