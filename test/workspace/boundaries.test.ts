import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { circleProblems, graphs, type InnerImport } from './imports/circles.ts'
import { layerProblem, rowOf } from './imports/layers.ts'
import { importProblems, innerImports, readImports } from './imports/read.ts'
import { libraries, reserved } from './imports/table.ts'
import { projects, type Project } from './workspace.ts'

const workspace = projects()

/** A source that nothing in the repository names, like one that a newcomer adds. */
const newcomer: Project = {
  folder: 'apps/new-ingest',
  manifest: { name: '@tributary/new-ingest', tributary: { kind: 'source' }, dependencies: { mqtt: '1.0.0' } },
}

/** [importing file, what it may not import, a part of the message] */
const forbidden: readonly (readonly [string, string, RegExp])[] = [
  // No project imports an app, neither by name nor by path.
  ['apps/control-plane/src/x.ts', '@tributary/grpc-ingest', /no project may import an app/],
  ['apps/grpc-ingest/src/x.ts', '@tributary/demo-feed', /no project may import an app/],
  ['libs/connect-runtime/src/x.ts', '@tributary/control-plane', /no project may import an app/],
  ['deploy/local/x.ts', '@tributary/grpc-ingest/schema', /no project may import an app/],
  ['deploy/local/x.ts', '../../apps/grpc-ingest/src/main.ts', /import apps\/grpc-ingest by its name/],
  ['apps/grpc-ingest/src/x.ts', '../../demo-feed/src/main.ts', /import apps\/demo-feed by its name/],
  ['libs/kafka/src/x.ts', '../../config/src/index.ts', /import libs\/config by its name/],
  ['libs/kafka/src/x.ts', '../../../test/run.ts', /test\/ holds nothing that libs\/kafka may import/],
  ['libs/kafka/src/x.ts', '@tributary/kafka', /by its relative path/],
  // Code that ships may not import code that is only for tests.
  ['apps/grpc-ingest/src/x.ts', '@tributary/testkit', /testkit is for tests/],
  ['apps/grpc-ingest/src/x.ts', '@tributary/testkit/kafka', /testkit is for tests/],
  ['libs/connect-runtime/src/x.test.ts', '@tributary/testkit', /testkit is for tests/],
  ['apps/grpc-ingest/src/x.test.ts', '@tributary/harness', /apps\/grpc-ingest may import only/],
  // A source may import the packages of its own package.json. Packages for a protocol stay in apps.
  ['apps/grpc-ingest/src/x.ts', 'ws', /npm install ws -w apps\/grpc-ingest/],
  ['apps/grpc-ingest/src/x.ts', '@aws-sdk/client-sqs', /npm install @aws-sdk\/client-sqs -w apps\/grpc-ingest/],
  ['apps/new-ingest/src/x.ts', 'protobufjs/minimal.js', /npm install protobufjs -w apps\/new-ingest/],
  ['libs/testkit/src/x.ts', 'ws', /ws serves the protocol of apps\/demo-feed and apps\/ws-ingest/],
  ['libs/converters/src/x.ts', 'protobufjs/minimal.js', /protobufjs serves the protocol of/],
  ['libs/push-source/src/x.ts', 'mqtt', /mqtt serves the protocol of apps\/new-ingest/],
  ['deploy/local/x.ts', 'mqtt', /mqtt serves the protocol of apps\/new-ingest/],
  // npm may hoist a package to a place where other projects find it too.
  ['libs/kafka/src/x.ts', 'semver', /npm install semver -w libs\/kafka`/],
  ['libs/kafka/src/x.test.ts', 'semver', /npm install semver -w libs\/kafka --save-dev/],
]

const allowed: readonly (readonly [string, string])[] = [
  ['libs/testkit/src/kafka/x.ts', '@tributary/connect-runtime'],
  ['apps/grpc-ingest/src/x.test.ts', '@tributary/testkit'],
  ['libs/kafka-producer/src/x.ts', 'kafkajs'],
  ['libs/telemetry/src/x.ts', 'pino'],
  ['libs/service/src/x.ts', '@opentelemetry/sdk-metrics'],
  ['libs/service/src/x.ts', '@opentelemetry/api'],
  ['apps/control-plane/src/x.ts', 'fastify'],
  ['apps/grpc-ingest/src/x.ts', 'protobufjs'],
  ['apps/demo-feed/src/x.ts', 'ws'],
  ['apps/ws-ingest/src/x.ts', 'ws'],
  ['apps/new-ingest/src/x.ts', 'mqtt'],
  ['apps/new-ingest/src/x.ts', '@tributary/push-source'],
  ['libs/kafka/src/x.ts', 'node:net'],
  ['test/integration/x.ts', '@tributary/grpc-ingest'],
  ['test/integration/x.ts', '../../apps/grpc-ingest/src/main.ts'],
  ['test/integration/x.ts', 'kafkajs'],
]

const problem = (file: string, specifier: string): string | null =>
  layerProblem(file, specifier, [...workspace, newcomer])

describe('imports between projects', () => {
  for (const [file, imported, message] of forbidden) {
    it(`${file} may not import ${imported}`, () => assert.match(problem(file, imported) ?? 'allowed', message))
  }

  for (const [file, imported] of allowed) {
    it(`${file} may import ${imported}`, () => assert.equal(problem(file, imported), null))
  }

  for (const project of [...workspace, newcomer]) {
    const { folder } = project
    const row = rowOf(project)
    it(`${folder} may import the libraries of its row, and no other`, () => {
      assert.ok(
        row,
        `${folder} has no row in test/workspace/imports/table.ts, or its package.json no known tributary.kind`,
      )
      for (const { folder: library, manifest } of workspace) {
        if (!library.startsWith('libs/') || library === folder) continue
        const found = problem(`${folder}/src/x.ts`, manifest.name)
        if (row.includes(library.slice('libs/'.length))) assert.equal(found, null)
        else assert.match(found ?? 'allowed', /may import (only|no other project)|is for tests/, `${folder} ${library}`)
      }
    })
  }

  it('the error for a project without a row says where the row comes from', () => {
    const [app, library] = ['apps/new-ingest', 'libs/new'].map((folder): Project => ({
      folder,
      manifest: { name: folder },
    }))
    const problemOf = (project: Project): string | null =>
      layerProblem(`${project.folder}/src/x.ts`, '@tributary/config', [...workspace, project])
    assert.match(
      problemOf(app!) ?? '',
      /^apps\/new-ingest\/package\.json must say "tributary": \{ "kind": … \}, one of source/,
    )
    assert.match(
      problemOf(library!) ?? '',
      /^libs\/new needs a row in `libraries` in test\/workspace\/imports\/table\.ts/,
    )
  })

  it('the rows form no circle', () => {
    const below = (name: string, path: readonly string[]): void => {
      assert.ok(!path.includes(name), [...path, name].join(' → '))
      for (const next of libraries[name] ?? []) below(next, [...path, name])
    }
    for (const name of Object.keys(libraries)) below(name, [])
  })

  for (const [pattern, owners] of Object.entries(reserved)) {
    it(`only ${owners.join(', ')} may import ${pattern}`, () => {
      // `@opentelemetry/api` has a row of its own besides the row of its scope.
      const name = pattern.replace('*', 'sdk-metrics')
      for (const { folder, manifest } of workspace) {
        const names = folder.startsWith('apps/') ? ['app', `kind ${manifest.tributary?.kind}`] : [folder.slice(5)]
        const mayNot = !owners.some((owner) => names.includes(owner))
        assert.equal(/^only .* may import /.test(problem(`${folder}/src/x.ts`, name) ?? ''), mayNot, folder)
      }
    })
  }
})

describe('imports between the folders and files of a project', () => {
  const imports = innerImports(readImports())

  for (const [folder, graph] of graphs(imports)) {
    it(`in ${folder} an import against the present direction closes a circle`, () => {
      for (const edges of graph.values()) {
        for (const [there] of edges.values()) {
          const back: InnerImport = { file: there!.target, line: 1, specifier: './x.ts', target: there!.file }
          assert.notDeepEqual(circleProblems([...imports, back]), [])
        }
      }
    })
  }

  it('names the import of the rarer direction, the way back and the repair', () => {
    const specifier = './x.ts'
    const circle = [
      { file: 'libs/x/src/task/a.ts', line: 1, specifier, target: 'libs/x/src/worker/deep/a.ts' },
      { file: 'libs/x/src/worker/a.ts', line: 2, specifier, target: 'libs/x/src/shared.ts' },
      { file: 'libs/x/src/worker/b.ts', line: 3, specifier, target: 'libs/x/src/shared.ts' },
      { file: 'libs/x/src/shared.ts', line: 4, specifier, target: 'libs/x/src/task/a.ts' },
      { file: 'libs/x/src/shared.ts', line: 5, specifier, target: 'libs/x/src/task/b.ts' },
    ]
    const [found, ...others] = circleProblems(circle)
    assert.deepEqual(others, [])
    assert.equal(found?.at, circle[0])
    assert.match(
      found?.problem ?? '',
      /^in libs\/x\/src, task may not import worker, because worker imports shared\.ts imports task\. Move /,
    )
  })

  it('finds a circle inside a folder of a folder', () => {
    const specifier = './x.ts'
    const [file, target] = ['libs/x/src/task/queue/a.ts', 'libs/x/src/task/queue/b.ts']
    assert.deepEqual(circleProblems([{ file, line: 1, specifier, target }]), [])
    assert.equal(circleProblems([{ file, line: 1, specifier, target }, { file: target, line: 1, specifier, target: file }]).length, 1) // prettier-ignore
  })
})

it('the repository contains no forbidden import', () => {
  assert.deepEqual(importProblems(readImports()), [])
})
