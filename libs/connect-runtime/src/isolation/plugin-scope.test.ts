import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { currentScope, failScopeOf, type PluginScope, runInScope, runOutsideScopes } from './plugin-scope.ts'

function scope(name: string, failures: unknown[] = []): PluginScope {
  return { name, unit: () => null, fail: (error) => void failures.push(error) }
}

test('what a plugin starts belongs to its scope, also while other scopes run', async () => {
  const after = (name: string): Promise<string | undefined> =>
    runInScope(scope(name), async () => {
      await sleep(1)
      return await new Promise((resolve) => setImmediate(() => resolve(currentScope()?.name)))
    })
  assert.deepEqual(await Promise.all([after('a'), after('b')]), ['a', 'b'])
  assert.equal(currentScope(), null)
})

test('shared code runs in no scope, although the code of a plugin called it', () => {
  const inside = runInScope(scope('a'), () => runOutsideScopes(() => currentScope()))
  assert.equal(inside, null)
})

test('an unhandled error fails its scope with the error as the cause; without a scope failScopeOf answers false', () => {
  const failures: unknown[] = []
  const bug = new Error('a bug')
  assert.equal(failScopeOf(bug), false)
  assert.equal(
    runInScope(scope('task 0 of connector c', failures), () => failScopeOf(bug)),
    true,
  )
  assert.equal(
    runInScope(scope('x', failures), () => failScopeOf('a text')),
    true,
  )
  const [first, second] = failures as [Error & { code: string }, Error]
  assert.equal(first.code, 'UNHANDLED_ERROR')
  assert.match(first.message, /^code of task 0 of connector c threw where nobody catches .*: a bug;/)
  assert.equal(first.cause, bug)
  assert.match(second.message, /: a text;/)
})
