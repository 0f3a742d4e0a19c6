import { globSync } from 'node:fs'
import { resolve } from 'node:path'
import { finished } from 'node:stream/promises'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import type { EventData } from 'node:test'
import type { FileTime, StageOptions, StageResult, TestStage } from './stage.ts'
import { MARK, processesMarked } from './leftovers.ts'
import { TestTime } from './test-time.ts'

/**
 * Runs the stage's test files, each in a process of its own, and prints the spec reporter's output. Never throws: the
 * result contains the error. A stage or a file without a test is a failure, and so is a skipped test that is not in
 * `skips`.
 */
export async function runTests(
  stage: TestStage,
  skips: Readonly<Record<string, string>>,
  options: StageOptions,
): Promise<StageResult> {
  const startedAt = performance.now()
  const { cwd, env, signal } = options
  const files = stage.files.flatMap((glob) => globSync(glob, { cwd })).map((file) => resolve(cwd, file))
  const tally = new Tally(cwd, skips)
  if (files.length > 0) {
    const events = run({ files: files.sort(), concurrency: stage.concurrency, cwd, env, signal })
    events.on('test:dequeue', (test) => tally.started(test))
    events.on('test:complete', (test) => tally.completed(test))
    const output = events.pipe(new spec())
    output.pipe(process.stdout, { end: false })
    const mark = env[MARK] ?? ''
    const watch = setInterval(() => {
      for (const file of tally.filesWithoutTest(options.idleFileMs)) endFile(file, mark)
    }, 1000)
    await finished(output)
    clearInterval(watch)
  }
  const durationMs = performance.now() - startedAt
  const usedMs = tally.times.reduce((sum, file) => sum + file.durationMs, 0)
  const busy = Math.min(1, usedMs / (durationMs * stage.concurrency))
  return { ...tally.result(signal), name: stage.name, durationMs, files: tally.times, busy }
}

/** Kills the process of a test file, so that what it left open costs its own stage little time. Its other tests have run. */
function endFile(file: string, mark: string): void {
  for (const { pid, command } of processesMarked(mark))
    if (command.split(' ').includes(file)) process.kill(pid, 'SIGKILL')
}

/** Counts tests (not suites, not files) from the runner's events, in the order of the events. */
class Tally {
  readonly #cwd: string
  readonly #skips: Readonly<Record<string, string>>
  readonly #running = new Map<string, EventData.TestDequeue>()
  readonly #startedFiles = new Set<string | undefined>()
  /** Of each file whose process runs: the time of its last event, in ms, monotonic. */
  readonly #lastEvents = new Map<string, number>()
  /** Files whose process was killed. */
  readonly #ended = new Set<string | undefined>()
  /** Tests that an abort left unfinished. */
  readonly #undone: string[] = []
  /** The figures of each file, by path. */
  readonly #completedFiles = new Map<string | undefined, string>()
  readonly #filesWithTests = new Set<string | undefined>()
  readonly #skipped: string[] = []
  readonly #problems: string[] = []
  readonly #testTimes = new Map<string | undefined, TestTime>()
  readonly times: FileTime[] = []
  #passed = 0

  constructor(cwd: string, skips: Readonly<Record<string, string>>) {
    this.#cwd = cwd
    this.#skips = skips
  }

  started(test: EventData.TestDequeue): void {
    this.#lastEvents.set(entryOf(test) ?? '', performance.now())
    if (isFile(test, this.#cwd)) this.#startedFiles.add(test.file)
    else this.#running.set(key(test), test)
  }

  completed(test: EventData.TestComplete): void {
    this.#running.delete(key(test))
    this.#lastEvents.set(entryOf(test) ?? '', performance.now())
    if (isFile(test, this.#cwd)) this.#fileCompleted(test)
    else this.#testCompleted(test)
  }

  /** The files whose process has run no test for `ms` and has not ended. They are told as failures, once. */
  filesWithoutTest(ms: number): string[] {
    const busy = new Set([...this.#running.values()].map(entryOf))
    const idle = [...this.#lastEvents].filter(([file, at]) => !busy.has(file) && performance.now() - at > ms)
    return idle.map(([file]) => {
      this.#lastEvents.delete(file)
      this.#ended.add(file)
      this.#problems.push(
        `${this.#title({ name: file, file })}: no test ran for ${ms / 1000} s, and its process did not end`,
      )
      return file
    })
  }

  #fileCompleted(test: EventData.TestComplete): void {
    const durationMs = test.details.duration_ms
    this.#lastEvents.delete(test.file ?? '')
    const insideMs = this.#testTimes.get(test.file)?.totalMs ?? 0
    this.times.push({ file: this.#title(test), durationMs, outsideTestsMs: Math.max(0, durationMs - insideMs) })
    const failure = failureType(test)
    if (failure === 'testAborted') this.#undone.push(...this.#aborted(test))
    // The failures of inner tests are already reported.
    else if (failure === 'subtestsFailed' || this.#ended.has(test.file)) return
    else if (failure !== null) this.#problems.push(`${this.#title(test)}: the process of this test file failed`)
    else this.#completedFiles.set(test.file, this.#title(test))
  }

  #aborted(file: EventData.TestComplete): string[] {
    if (!this.#startedFiles.has(file.file)) return [`${this.#title(file)}: not started`]
    const hanging = [...this.#running.values()].filter((test) => entryOf(test) === file.file)
    if (hanging.length > 0) return hanging.map((test) => `${this.#title(test)}: not finished`)
    return [`${this.#title(file)}: no test runs, but its process did not end`]
  }

  #testCompleted(test: EventData.TestComplete): void {
    this.#filesWithTests.add(entryOf(test))
    this.#timed(test)
    const failure = failureType(test)
    if (test.details.type === 'suite') {
      // A hook that throws fails the suite. For any other failure the suite's tests have reported it.
      if (failure === 'hookFailed') this.#problems.push(`${this.#title(test)}: a hook failed`)
    } else if (test.skip !== undefined || test.todo !== undefined) {
      this.#skipped.push(test.name)
      if (!Object.hasOwn(this.#skips, test.name)) this.#problems.push(`${this.#title(test)}: skipped, not in skips.ts`)
    } else if (failure !== null) {
      this.#problems.push(`${this.#title(test)}${reasonOf(test)}`)
    } else {
      this.#passed += 1
    }
  }

  #timed(test: EventData.TestComplete): void {
    const file = entryOf(test)
    let times = this.#testTimes.get(file)
    if (times === undefined) this.#testTimes.set(file, (times = new TestTime()))
    times.completed(test.nesting, test.details.duration_ms, test.details.type === 'suite')
  }

  result(signal: AbortSignal): Pick<StageResult, 'passed' | 'failed' | 'skipped' | 'problems'> {
    const problems = [...this.#problems]
    for (const [file, title] of this.#completedFiles) {
      if (!this.#filesWithTests.has(file)) problems.push(`${title}: no test in this file`)
    }
    if (signal.aborted) problems.push((signal.reason as Error).message, ...this.#undone)
    else if (this.#filesWithTests.size === 0) problems.push('this stage ran no test')
    return { passed: this.#passed, failed: problems.length, skipped: this.#skipped, problems }
  }

  #title({ name, file }: { readonly name: string; readonly file?: string | undefined }): string {
    const path = file?.replace(`${this.#cwd}/`, '') ?? ''
    return resolve(this.#cwd, name) === file ? path : `${path} > ${name}`
  }
}

/** The runner wraps each file in a test, whose name is the given path. */
function isFile(test: EventData.TestDequeue | EventData.TestComplete, cwd: string): boolean {
  return test.nesting === 0 && resolve(cwd, test.name) === test.file
}

/**
 * The file that was run. `file` is the file of the test itself, which differs when a file calls the suites of another
 * file.
 */
function entryOf(test: EventData.TestDequeue | EventData.TestComplete): string | undefined {
  return (test as { readonly entryFile?: string }).entryFile ?? test.file
}

function key(test: EventData.TestDequeue | EventData.TestComplete): string {
  return `${entryOf(test)} ${test.testId}`
}

const REASON_LINES = 12

/** Why the test failed, in the lines below its title: whoever sees only the end of the output has to know. */
function reasonOf(test: EventData.TestComplete): string {
  const error: unknown = test.details.error
  const cause = error instanceof Error ? (error.cause ?? error) : error
  const text = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)
  const lines = text.split('\n').slice(0, REASON_LINES)
  return lines.map((line) => `\n      ${line.slice(0, 300)}`).join('')
}

/** @returns null for a test that passed. */
function failureType(test: EventData.TestComplete): string | null {
  if (test.details.passed) return null
  const error: unknown = test.details.error
  return typeof error === 'object' && error !== null && 'failureType' in error ? String(error.failureType) : 'unknown'
}
