import assert from 'node:assert/strict'
import { test } from 'node:test'
import { helpText, parseOptions as parse, type LaunchOptions } from './options.ts'
import type { ServiceDefinition } from './services.ts'

/** Not the apps of the repository: these tests need no edit when an app is added. The demo wants the names that it knows. */
const services: readonly ServiceDefinition[] = [
  { name: 'control-plane', kind: 'service', plugins: [] },
  { name: 'grpc-ingest', kind: 'source', plugins: [] },
  { name: 'x-ingest', kind: 'source', plugins: [] },
  { name: 'demo-feed', kind: 'demo', plugins: [] },
]

const parseOptions = (args: readonly string[]): LaunchOptions => parse(args, services)
const names = (...args: string[]): string[] => parseOptions(args).services.map(({ name }) => name)

test('without arguments everything is started, with the demo', () => {
  const options = parseOptions([])
  assert.deepEqual(names(), ['control-plane', 'grpc-ingest', 'x-ingest', 'demo-feed'])
  assert.equal(options.demo, true)
  assert.equal(options.scale.size, 0)
})

test('--no-demo leaves out the feed and the connector', () => {
  assert.deepEqual(names('--no-demo'), ['control-plane', 'grpc-ingest', 'x-ingest'])
  assert.equal(parseOptions(['--no-demo']).demo, false)
})

test('--services starts a choice, in the order of starting, and the demo only when all of it is there', () => {
  assert.deepEqual(names('--services', 'grpc-ingest, control-plane'), ['control-plane', 'grpc-ingest'])
  assert.equal(parseOptions(['--services', 'grpc-ingest,control-plane']).demo, false)
  assert.equal(parseOptions(['--services', 'demo-feed,grpc-ingest,control-plane']).demo, true)
})

test('--scale sets replicas', () => {
  assert.deepEqual([...parseOptions(['--scale', 'grpc-ingest=3']).scale], [['grpc-ingest', 3]])
})

test('the help names every service', () => {
  assert.match(helpText(services), /only these: control-plane, grpc-ingest, x-ingest, demo-feed$/m)
})

for (const [args, message] of [
  [['--sevrices', 'a'], /^Unknown option '--sevrices'; see `npm start -- --help`\.$/],
  [['--services', 'nothing'], /^There is no service nothing; there are control-plane, /],
  [['--scale', 'nothing=2'], /^There is no service nothing/],
  [['--scale', 'grpc-ingest=0'], /^--scale wants grpc-ingest=1 to grpc-ingest=16, not grpc-ingest=0\.$/],
  [['--scale', 'grpc-ingest'], /^--scale wants /],
  [['--scale', 'control-plane=2'], /^Only one control-plane can be started here\.$/],
] as const) {
  test(`${args.join(' ')} is refused in one sentence`, () => {
    assert.throws(() => parseOptions(args), { name: 'LaunchError', message })
  })
}
