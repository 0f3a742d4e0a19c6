import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { compileExpression } from './expression.ts'

const isLoaded = (): boolean => {
  return Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes('@marcbachmann/cel-js'))
}

test('the parser is loaded with the first expression, not before', () => {
  assert.equal(isLoaded(), false)
  compileExpression('true', 'condition', 'bool')
  assert.equal(isLoaded(), true)
})
