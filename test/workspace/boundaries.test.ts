import assert from 'node:assert/strict'
import { dirname, relative } from 'node:path'
import { describe, it } from 'node:test'
import { circleProblems, graphs, type InnerImport } from './imports/circles.ts'
import { isTestFile, layerProblem, rowOf } from './imports/layers.ts'
import { readOrders } from './imports/order.ts'
import { importProblems, importsOf, innerImports, isCode, readImports } from './imports/read.ts'
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
  ['deploy/local/x.ts', '../../apps/grpc-ingest/src/main.ts', /no project may import an app/],
  ['apps/grpc-ingest/src/x.ts', '../../demo-feed/src/main.ts', /no project may import an app/],
  ['libs/kafka/src/x.ts', '../../config/src/index.ts', /import libs\/config by its name/],
  ['libs/kafka/src/x.ts', '../../service/src/index.ts', /libs\/kafka may import only/],
  ['libs/kafka/src/x.ts', '../../../test/run.ts', /test\/ holds nothing that libs\/kafka may import/],
  ['libs/kafka/src/x.ts', '@tributary/kafka', /by its relative path/],
  // Code that ships may not import code that is only for tests.
  ['apps/grpc-ingest/src/x.ts', '@tributary/testkit', /testkit is for tests/],
  ['apps/grpc-ingest/src/x.ts', '@tributary/testkit/kafka', /testkit is for tests/],
  ['libs/connect-runtime/src/x.test.ts', '@tributary/testkit', /testkit is for tests/],
  ['apps/grpc-ingest/src/x.test.ts', '@tributary/harness', /apps\/grpc-ingest may import only/],
  ['libs/kafka-producer/src/producer/x.ts', '../testing/fake-wire.ts', /images leave the files of tests out/],
  ['apps/ws-ingest/src/record/x.ts', './testing.ts', /images leave the files of tests out/],
  ['apps/ws-ingest/src/x.ts', '@tributary/telemetry/testing', /images leave the files of tests out/],
  ['apps/sse-ingest/src/x.ts', './stream.test.ts', /images leave the files of tests out/],
  ['apps/sse-ingest/src/x.mts', '../test/sse-server.ts', /images leave the files of tests out/],
  // A source may import the packages of its own package.json. Packages for a protocol stay in apps.
  ['apps/grpc-ingest/src/x.ts', 'ws', /npm install ws -w apps\/grpc-ingest/],
  ['apps/grpc-ingest/src/x.ts', '@aws-sdk/client-sqs', /npm install @aws-sdk\/client-sqs -w apps\/grpc-ingest/],
  ['apps/new-ingest/src/x.ts', 'protobufjs/minimal.js', /npm install protobufjs -w apps\/new-ingest/],
  ['libs/testkit/src/x.ts', 'ws', /ws serves the protocol of apps\/demo-feed and apps\/ws-ingest/],
  ['libs/push-source/src/x.ts', 'protobufjs/minimal.js', /only converters, app may import/],
  ['libs/push-source/src/x.ts', 'mqtt', /mqtt serves the protocol of apps\/new-ingest/],
  ['deploy/local/x.ts', 'mqtt', /mqtt serves the protocol of apps\/new-ingest/],
  // npm may hoist a package to a place where other projects find it too.
  ['libs/kafka/src/x.ts', 'semver', /npm install semver -w libs\/kafka`/],
  ['libs/kafka/src/x.test.ts', 'semver', /npm install semver -w libs\/kafka --save-dev/],
]

const allowed: readonly (readonly [string, string])[] = [
  ['libs/testkit/src/kafka/x.ts', '@tributary/connect-runtime'],
  ['apps/grpc-ingest/src/x.test.ts', '@tributary/testkit'],
  ['libs/kafka-producer/src/x.test.ts', './testing/fake-wire.ts'],
  ['libs/push-source/src/testing.ts', '@tributary/telemetry/testing'],
  ['libs/kafka-producer/src/testing/x.ts', './fake-wire.ts'],
  ['apps/sse-ingest/test/x.ts', './sse-server.ts'],
  ['libs/kafka-producer/src/x.ts', 'kafkajs'],
  ['libs/telemetry/src/x.ts', 'pino'],
  ['libs/service/src/x.ts', '@opentelemetry/sdk-node'],
  ['libs/connect-runtime/src/x.ts', '@opentelemetry/api'],
  ['apps/control-plane/src/x.ts', 'fastify'],
  ['apps/demo-feed/src/x.ts', 'protobufjs'],
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

describe('the order of folders that a README promises', () => {
  const imports = readImports()
  const orders = readOrders()

  it('is read from every README that says so', () => {
    const readmes = orders.map(({ readme }) => readme)
    for (const folder of [
      'apps/grpc-ingest',
      'apps/grpc-ingest/src/schema',
      'apps/ws-ingest',
      'libs/connect-runtime',
    ]) {
      assert.ok(readmes.includes(`${folder}/README.md`), folder)
    }
  })

  for (const { readme, folders } of orders) {
    it(`of ${readme} names every folder beside those that it lists`, () => {
      const beside = new Set(folders.map((folder) => dirname(folder)))
      const code = imports.map(({ file }) => file).filter((file) => !isTestFile(file))
      for (const parent of beside) {
        const inside = code.filter((file) => file.startsWith(`${parent}/`)).map((file) => file.slice(parent.length + 1))
        for (const file of inside.filter((path) => path.includes('/'))) {
          assert.ok(folders.includes(`${parent}/${file.split('/')[0]}`), `${readme} leaves out ${parent}/${file}`)
        }
      }
    })

    it(`of ${readme} allows no import up the list, whether or not it closes a circle`, () => {
      for (const [i, above] of folders.entries()) {
        for (const below of folders.slice(i + 1, i + 3)) {
          const up = { file: `${below}/x.ts`, line: 1, specifier: relative(below, `${above}/x.ts`) }
          const found = importProblems([...imports, up], orders)
          assert.equal(found.length, 1, found.join('\n'))
          assert.match(found[0]!, new RegExp(`^${below}/x.ts:1: imports .*: ${below} may not import ${above}, which `))
        }
      }
    })
  }
})

describe('reading imports', () => {
  const specifiers = (file: string, text: string): string[] => importsOf(file, text).map(({ specifier }) => specifier)

  it('finds every form', () => {
    assert.deepEqual(specifiers('x.ts', "import './a.ts'\nexport * from './b.ts'\nawait import('./c.ts')"), [
      './a.ts',
      './b.ts',
      './c.ts',
    ])
    assert.deepEqual(specifiers('x.ts', 'await import(`./d.ts`)'), ['./d.ts'])
    assert.deepEqual(specifiers('x.ts', 'await import(\n  /* late */ `../e/${name}.ts`)'), ['../e/'])
  })

  it('reads every kind of file', () => {
    const files = ['ts', 'mts', 'cts', 'js', 'mjs', 'cjs'].map((end) => `libs/x/src/x.${end}`)
    assert.deepEqual(files.filter(isCode), files)
    assert.equal(isCode('libs/x/README.md'), false)
  })
})

it('the repository contains no forbidden import', () => {
  assert.deepEqual(importProblems(readImports()), [])
})
