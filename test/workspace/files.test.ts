import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, matchesGlob } from 'node:path'
import { describe, it } from 'node:test'
import { stages } from '../runner/stages.ts'
import { workspaceRoot } from './workspace.ts'

const maxLines = 400

describe('files of the repository', () => {
  // New files that git does not track yet count too, so that the test fails before the commit.
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: workspaceRoot,
    encoding: 'utf8',
  })
    .split('\n')
    .filter((file) => file !== '' && existsSync(join(workspaceRoot, file)))
  const text = (file: string): string => readFileSync(join(workspaceRoot, file), 'utf8')

  it(`have at most ${maxLines} lines`, () => {
    const code = files.filter((file) => /\.(ts|mjs|sh|md|xml|proto)$/.test(file) && !file.startsWith('test/fixtures/'))
    const long = code.filter((file) => text(file).trimEnd().split('\n').length > maxLines)
    assert.deepEqual(long, [])
  })

  it('name no path of one machine', () => {
    // A home folder, a mounted work folder, or a named temporary file: another machine does not have them.
    const machinePath = /(?<![\w.$}])\/(home|root|Users|work|workspace|mnt)\/[\w.-]+|(?<![\w.$}])\/tmp\/[\w.-]+/
    assert.deepEqual(matching(machinePath), [])
  })

  it('name no package registry', () => {
    const registry = /registry\.npmjs\.org|registry\.yarnpkg\.com|repo1?\.maven\.org|[\w-]+\.pkg\.dev|jfrog\.io/
    assert.deepEqual(matching(registry), [])
  })

  it('are not in ignored folders', () => {
    assert.deepEqual(
      files.filter((file) => /(^|\/)(node_modules|dist|\.nx|\.tributary|target)\//.test(file)),
      [],
    )
  })

  it('that hold tests are each in a stage of the run', () => {
    const globs = stages.flatMap((stage) => ('files' in stage ? stage.files : []))
    const tests = files.filter((file) => file.endsWith('.test.ts'))
    assert.deepEqual(
      tests.filter((file) => !globs.some((glob) => matchesGlob(file, glob))),
      [],
    )
  })

  function matching(pattern: RegExp): string[] {
    const others = files.filter((file) => file !== 'test/workspace/files.test.ts')
    return others.flatMap((file) => {
      const found = pattern.exec(text(file))
      return found === null ? [] : [`${file}: ${found[0]}`]
    })
  }
})
