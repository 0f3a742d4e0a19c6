import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Output } from './output.ts'

function recording(isTTY: boolean, columns = 40): { stream: NodeJS.WriteStream; written: () => string } {
  let text = ''
  const write = (chunk: string): boolean => {
    text += chunk
    return true
  }
  return { stream: { isTTY, columns, write } as unknown as NodeJS.WriteStream, written: () => text }
}

test('in a terminal the live line is written over, and stays below what is said', () => {
  const { stream, written } = recording(true)
  const output = new Output(stream)
  output.live('one')
  output.live('two')
  output.say('hello')
  output.endLive()
  output.say('bye')
  assert.equal(written(), '\r\x1b[Kone\r\x1b[Ktwo\r\x1b[Khello\ntwo\nbye\n')
})

test('a live line is cut to the width of the terminal, as a wrapped one could not be written over', () => {
  const { stream, written } = recording(true, 30)
  new Output(stream).live('x'.repeat(100))
  assert.equal(written(), `\r\x1b[K${'x'.repeat(29)}`)
})

test('elsewhere the live line is an ordinary line each 5 s', () => {
  let now = 0
  const { stream, written } = recording(false)
  const output = new Output(stream, () => now)
  for (now = 0; now <= 10_000; now += 1000) output.live(`at ${now}`)
  output.endLive()
  assert.equal(written(), 'at 0\nat 5000\nat 10000\n')
})
