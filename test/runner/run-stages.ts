import { randomUUID } from 'node:crypto'
import { endLeftovers, MARK, processesMarked } from './leftovers.ts'
import { runCommand } from './run-command.ts'
import { runTests } from './run-tests.ts'
import { needsKafka, type Stage, type StageResult } from './stage.ts'

export interface RunOptions {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  readonly skips: Readonly<Record<string, string>>
  /** Ends all stages together. */
  readonly limitMin: number
  /** Factor for each stage's own timeout. */
  readonly timeoutFactor: number
  /** See StageOptions. */
  readonly idleFileMs: number
  /** How long processes of a stage may remain after the stage. Then they are killed, and the stage has failed. */
  readonly leftoverGraceMs: number
  readonly signal: AbortSignal
  /**
   * Called once, before the first stage that needs a broker. If it throws, each of these stages fails with the error.
   */
  startKafka(): Promise<RunningKafka>
}

export interface RunningKafka {
  readonly env: NodeJS.ProcessEnv
  stop(): Promise<void>
}

/** Runs the stages one after the other, all of them even when one fails. */
export async function runStages(stages: readonly Stage[], options: RunOptions): Promise<StageResult[]> {
  const run = randomUUID()
  const deadline = performance.now() + options.limitMin * 60_000
  const results: StageResult[] = []
  let kafka: RunningKafka | null | undefined
  const failed = (name: string, problem: string): void => {
    results.push({ name, passed: 0, failed: 1, skipped: [], durationMs: 0, problems: [problem], files: [], busy: null })
  }

  for (const stage of stages) {
    if (options.signal.aborted) break
    const withKafka = needsKafka(stage)
    if (withKafka && kafka === undefined) {
      process.env[MARK] = `${run}/kafka`
      console.log('\n== kafka')
      kafka = await options.startKafka().catch((error: unknown) => {
        console.error(error)
        return null
      })
    }
    if (withKafka && kafka === null) {
      failed(stage.name, 'not run, as Kafka could not be started')
      continue
    }
    console.log(`\n== ${stage.name}`)
    const leftMs = deadline - performance.now()
    const mark = `${run}/${stage.name}`
    const env = { ...options.env, ...(withKafka ? kafka?.env : {}), [MARK]: mark }
    results.push(await runStage(stage, { ...options, env }, leftMs, mark))
  }

  if (kafka) {
    const problem = await stopKafka(kafka, `${run}/kafka`)
    if (problem !== null) failed('kafka', problem)
  }
  if (options.signal.aborted) failed('run', (options.signal.reason as Error).message)
  return results
}

async function runStage(stage: Stage, options: RunOptions, leftMs: number, mark: string): Promise<StageResult> {
  const ownMs = stage.timeoutMin * options.timeoutFactor * 60_000
  const timeout = new AbortController()
  const seconds = Math.round(Math.min(ownMs, leftMs) / 1000)
  const timer = setTimeout(
    () => timeout.abort(new Error(`not done after ${seconds} s`)),
    Math.max(1, Math.min(ownMs, leftMs)),
  )
  const stageOptions = { ...options, signal: AbortSignal.any([options.signal, timeout.signal]) }
  const result =
    'command' in stage ? await runCommand(stage, stageOptions) : await runTests(stage, options.skips, stageOptions)
  clearTimeout(timer)
  const left = await endLeftovers(mark, options.leftoverGraceMs)
  const problems = left.map(({ pid, command }) => `left a process running: ${pid} ${command}`)
  return { ...result, failed: result.failed + left.length, problems: [...result.problems, ...problems] }
}

async function stopKafka(kafka: RunningKafka, mark: string): Promise<string | null> {
  try {
    await kafka.stop()
  } catch (cause) {
    return `Kafka could not be stopped: ${String(cause)}`
  }
  // The harness' watchdog lives as long as this process.
  const left = processesMarked(mark).filter(({ command }) => !command.includes('watchdog'))
  return left.length === 0 ? null : `Kafka left a process running: ${left.map(({ command }) => command).join(', ')}`
}
