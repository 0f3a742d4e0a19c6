import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { canFindLeftovers } from '../runner/leftovers.ts'
import { needsKafka, type Stage, type StageResult } from '../runner/stage.ts'
import { stages } from '../runner/stages.ts'
import { TestTime } from '../runner/test-time.ts'
import { summary } from '../runner/summary.ts'
import { workspaceRoot } from './workspace.ts'

const execute = promisify(execFile)
const folder = 'test/fixtures/runner'

/** Runs a stage in a process of its own, because a test runner cannot run inside a test. */
async function runStage(stage: Stage): Promise<StageResult> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const args = [`${folder}/run.ts`, JSON.stringify(stage)]
  const { stdout } = await execute(process.execPath, args, { cwd: workspaceRoot, env })
  const [result] = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as StageResult[]
  assert.ok(result)
  return result
}

function tests(name: string, timeoutMin = 1): Stage {
  return { name: 'stage', files: [`${folder}/${name}.fixture.ts`], concurrency: 1, kafka: false, timeoutMin }
}

const RESULT: StageResult = {
  name: 'unit',
  passed: 2,
  failed: 1,
  skipped: ['s'],
  durationMs: 1500,
  problems: ['x > y'],
  files: [],
  busy: null,
}

describe('the test runner', { concurrency: 2 }, () => {
  it('counts passed, failed and skipped tests', async () => {
    const { passed, failed, skipped, problems } = await runStage(tests('counts'))
    assert.deepEqual({ passed, failed, skipped }, { passed: 1, failed: 1, skipped: ['needs an engine'] })
    assert.deepEqual(problems, [`${folder}/counts.fixture.ts > fails\n      AssertionError: as it should`])
  })

  it('fails for a skipped test that is not in the table', async () => {
    const { problems } = await runStage(tests('unlisted-skip'))
    assert.deepEqual(problems, [
      `${folder}/unlisted-skip.fixture.ts > skipped by somebody in a hurry: skipped, not in skips.ts`,
    ])
  })

  it('fails for a stage without files, and for a file without tests', async () => {
    assert.deepEqual((await runStage(tests('no-such-file'))).problems, ['this stage ran no test'])
    assert.deepEqual((await runStage(tests('empty'))).problems, [
      `${folder}/empty.fixture.ts: no test in this file`,
      'this stage ran no test',
    ])
  })

  it('fails for a test file that exits with an error although its tests passed', async () => {
    const { passed, problems } = await runStage(tests('crash'))
    assert.equal(passed, 1)
    assert.deepEqual(problems, [`${folder}/crash.fixture.ts: the process of this test file failed`])
  })

  it('fails for a hook that throws', async () => {
    const { passed, failed } = await runStage(tests('hook'))
    assert.equal(passed, 0)
    assert.notEqual(failed, 0)
  })

  it('ends a stage that takes too long, and names the test that hung', async () => {
    const { passed, problems } = await runStage(tests('hang', 0.1))
    assert.equal(passed, 1)
    assert.deepEqual(problems, [
      'not done after 6 s',
      `${folder}/hang.fixture.ts > waits for what never comes: not finished`,
    ])
  })

  it(
    'ends the process of a test file that kept running although its tests were done',
    { skip: !canFindLeftovers },
    async () => {
      const { passed, problems } = await runStage(tests('open-handle'))
      assert.equal(passed, 1)
      assert.deepEqual(problems, [
        `${folder}/open-handle.fixture.ts: no test ran for 2.5 s, and its process did not end`,
      ])
    },
  )

  it('finds and ends a process that a test left behind', { skip: !canFindLeftovers }, async () => {
    const { problems } = await runStage(tests('leftover'))
    assert.match(problems.join('\n'), /^left a process running: \d+ sleep 600$/)
  })

  it('fails the stages that need Kafka when it cannot be started', async () => {
    const { problems } = await runStage({ ...tests('counts'), kafka: true })
    assert.deepEqual(problems, ['not run, as Kafka could not be started'])
  })

  it('fails for a program with an exit code other than 0', async () => {
    const { passed, problems } = await runStage({
      name: 'types',
      command: ['tsc', '-p', 'no-such-folder'],
      timeoutMin: 1,
    })
    assert.equal(passed, 0)
    assert.deepEqual(problems, ['tsc ended with 1'])
  })

  it('closes with one line of totals and prints the reason of every skip', () => {
    const lines = summary([RESULT, { ...RESULT, skipped: [] }], { s: 'no engine' }, 4000).split('\n')
    assert.equal(lines.at(-1), '4 passed, 2 failed, 1 skipped')
    assert.ok(lines.includes('  s: no engine'))
    assert.ok(lines.includes('  unit: x > y'))
  })

  it('reports the time of each file, and the part in which no test ran', async () => {
    // The file's only test stands in another file, and still counts for this file.
    const { files, passed, failed, busy } = await runStage(tests('borrowed'))
    assert.deepEqual([passed, failed], [1, 0])
    const [file, ...others] = files
    assert.deepEqual([file?.file, others], [`${folder}/borrowed.fixture.ts`, []])
    assert.ok(file !== undefined && 0 < file.outsideTestsMs && file.outsideTestsMs < file.durationMs)
    assert.ok(busy !== null && 0 < busy && busy <= 1)
  })

  it('counts the time of tests without that of hooks, and that of subtests once', () => {
    const time = new TestTime()
    time.completed(1, 30, false) // Two tests of a suite,
    time.completed(1, 40, false)
    time.completed(0, 500, true) // whose hooks took the rest.
    time.completed(2, 5, false) // A subtest of a test of a suite in a suite
    time.completed(1, 20, false)
    time.completed(0, 20, false) // and a test beside them.
    assert.equal(time.totalMs, 90)
  })

  it('prints the times of the stages, the ten slowest files, and those with most time outside their tests', () => {
    const files = Array.from({ length: 12 }, (_, i) => ({
      file: `f${i}.test.ts`,
      durationMs: i * 1000,
      outsideTestsMs: (12 - i) * 100,
    }))
    const stage = { ...RESULT, files, busy: 0.654 }
    const lines = summary([stage, { ...RESULT, name: 'lint' }], {}, 4000).split('\n')
    assert.ok(lines.includes('unit        2       1        1      1.5  65 %'), lines.join('\n'))
    assert.ok(lines.includes('4.0 s in all, 1.0 s of them between the stages'))
    const slowest = lines.indexOf('slowest files:')
    assert.equal(lines[slowest + 1], '    11.0 s  f11.test.ts')
    assert.equal(lines[slowest + 10], '     2.0 s  f2.test.ts')
    assert.equal(lines[slowest + 11], '')
    const gaps = lines.findIndex((line) => line.startsWith('most time outside their tests'))
    assert.equal(lines[gaps + 1], '     1.2 of 0.0 s  f0.test.ts')
    assert.equal(lines[gaps + 6], '')
  })

  it('runs with --quick only the stages that need no Kafka', () => {
    const quick = stages.filter((stage) => !needsKafka(stage)).map(({ name }) => name)
    assert.deepEqual(quick, ['lint', 'format', 'types', 'unit', 'workspace', 'fuzz'])
  })
})
