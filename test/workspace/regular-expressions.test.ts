import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { compilePattern, type ConfigSpecData, type Validator } from '@tributary/config'
import { sourcePlugins } from './generated-pages.ts'
import { workspaceRoot } from './workspace.ts'

/** A RegExp of the constants of its file. */
const OF_CONSTANTS = /\bRegExp\(\s*(?:[A-Z_]+|(?:String\.raw)?`(?:\$\{[A-Z_]+\}|\$(?!\{)|[^`$])*`)\s*[,)]/g

/** Code that makes a RegExp of escaped texts, or of texts that stand in the same file. A RegExp of foreign text may take hours. */
const OF_OWN_TEXTS = [
  'apps/control-plane/src/testing/documented-answers.ts',
  'libs/config/src/patterns/plain.ts',
  'libs/push-source/src/time/parse-time.ts',
  'libs/telemetry/src/redaction/short-secrets.ts',
]

describe('regular expressions', () => {
  it('that the code does not spell out are compiled by compilePattern', () => {
    const files = globSync(['apps/*/src/**/*.ts', 'libs/*/src/**/*.ts', 'deploy/**/*.ts'], { cwd: workspaceRoot })
    const made = files.filter((file) => {
      if (/\.test\.ts$|node_modules/.test(file)) return false
      return /\bRegExp\(/.test(readFileSync(join(workspaceRoot, file), 'utf8').replaceAll(OF_CONSTANTS, ''))
    })
    assert.deepEqual(made.toSorted(), OF_OWN_TEXTS)
  })

  it('of the published specs compile', async () => {
    const specs = (await sourcePlugins()).flatMap(({ plugins }) => plugins.map(({ connector }) => connector.spec))
    const sources = specs.flatMap(patternsOf)
    assert.ok(sources.length > 10)
    for (const source of sources) compilePattern(source)
  })
})

function patternsOf({ keys, prefixes }: ConfigSpecData): string[] {
  const families = Object.values(prefixes ?? {})
  return [...Object.values(keys), ...families]
    .flatMap(({ validator }) => (validator === undefined ? [] : regexesOf(validator)))
    .concat(families.flatMap(({ suffix }) => suffix ?? []))
}

function regexesOf(validator: Validator): string[] {
  if (validator.kind === 'all') return validator.of.flatMap(regexesOf)
  return validator.kind === 'pattern' ? [validator.regex] : []
}
