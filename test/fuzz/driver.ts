/**
 * The driver of all fuzzers: makes inputs from a seed, runs the code under test on each within bounds of time and
 * memory, and counts the outcomes. A fuzzer is a module that exports `fuzz(iterations, seed)`; see config.fuzz.ts.
 */
import { Random } from '../support/random.ts'

export { Random } from '../support/random.ts'
export { mutateBytes, mutateJson, mutateProps, mutateText } from './mutate.ts'

/** The progress of an input: refused by the first stage with a clear error, or past the first stage. */
export type Stage = 'refused' | 'past'

/** Code under test, and the function that makes its inputs. */
export interface Target<T> {
  readonly name: string
  /** Makes an input, mostly by mutation of a valid one. All randomness must come from `random`. */
  generate(random: Random): T
  /** Runs the code. The target catches a clear error and returns a stage. Any thrown error is a finding. */
  run(input: T): Stage | Promise<Stage>
  /** The input as a finding shows it. */
  show(input: T): string
}

export interface Finding {
  readonly target: string
  readonly kind: 'crash' | 'slow' | 'memory'
  /** `replay(target, seed)` makes this input again. */
  readonly inputSeed: number
  readonly message: string
  readonly input: string
}

export interface Report {
  readonly iterations: number
  /** Inputs past the first stage, by target and in total. */
  readonly past: number
  readonly pastByTarget: Readonly<Record<string, { readonly past: number; readonly of: number }>>
  readonly findings: readonly Finding[]
  /** Time of the slowest input, in ms. */
  readonly slowestMs: number
  /** Largest growth of the peak memory within one input, in bytes. */
  readonly largestBytes: number
}

export const MAX_INPUT_MS = 100
export const MAX_INPUT_BYTES = 64 * 1024 * 1024
/** The run ends after this many findings, because more of them show nothing new. */
const MAX_FINDINGS = 20
const SHOWN_LENGTH = 400

/** Written before each input, so that a watchdog outside the thread knows which input hangs. */
export type Progress = (index: number, inputSeed: number) => void

export interface FuzzOptions {
  readonly progress?: Progress
  /** Findings after which the run ends early; default 20. */
  readonly maxFindings?: number
}

/** Runs the targets in turn, `iterations` inputs in all. */
export async function fuzzTargets(
  targets: readonly Target<unknown>[],
  iterations: number,
  seed: number,
  { progress, maxFindings = MAX_FINDINGS }: FuzzOptions = {},
): Promise<Report> {
  const findings: Finding[] = []
  const counts = new Map(targets.map((target) => [target.name, { past: 0, of: 0 }]))
  let slowestMs = 0
  let largestBytes = 0
  let done = 0
  for (; done < iterations && findings.length < maxFindings; done++) {
    const target = targets[done % targets.length]!
    const inputSeed = Random.seedOf(seed, done)
    progress?.(done, inputSeed)
    const result = await runOne(target, inputSeed)
    const count = counts.get(target.name)!
    count.of++
    if (result.stage === 'past') count.past++
    if (result.finding) findings.push(result.finding)
    slowestMs = Math.max(slowestMs, result.ms)
    largestBytes = Math.max(largestBytes, result.bytes)
  }
  const past = [...counts.values()].reduce((sum, count) => sum + count.past, 0)
  return { iterations: done, past, pastByTarget: Object.fromEntries(counts), findings, slowestMs, largestBytes }
}

interface Result {
  readonly stage: Stage
  readonly ms: number
  readonly bytes: number
  readonly finding?: Finding
}

async function runOne<T>(target: Target<T>, inputSeed: number): Promise<Result> {
  const input = target.generate(new Random(inputSeed))
  const finding = (kind: Finding['kind'], message: string): Finding => ({
    target: target.name,
    kind,
    inputSeed,
    message,
    input: target.show(input).slice(0, SHOWN_LENGTH),
  })
  const peakBefore = peakBytes()
  const timed = await time(target, input)
  const bytes = peakBytes() - peakBefore
  const { ms } = timed
  if ('error' in timed) return { stage: 'refused', ms, bytes, finding: finding('crash', describe(timed.error)) }
  if (bytes > MAX_INPUT_BYTES) {
    return { stage: timed.stage, ms, bytes, finding: finding('memory', `took ${Math.round(bytes / 2 ** 20)} MiB`) }
  }
  if (ms > MAX_INPUT_MS) {
    // The machine may have been busy. A slow input is slow again, and takes the thread's own time.
    const again = [await time(target, input, cpuMs), await time(target, input, cpuMs)].map((run) => run.ms)
    const best = Math.min(ms, ...again)
    if (best > MAX_INPUT_MS)
      return { stage: timed.stage, ms: best, bytes, finding: finding('slow', `took ${Math.round(best)} ms`) }
    return { stage: timed.stage, ms: best, bytes }
  }
  return { stage: timed.stage, ms, bytes }
}

/** Time that this thread has had of the CPU, in ms. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

async function time<T>(
  target: Target<T>,
  input: T,
  now: () => number = () => performance.now(),
): Promise<{ ms: number } & ({ stage: Stage } | { error: unknown })> {
  const start = now()
  try {
    const running = target.run(input)
    // An await costs more than most inputs, so it is left out where possible.
    const stage = typeof running === 'string' ? running : await running
    return { stage, ms: now() - start }
  } catch (error) {
    return { error, ms: now() - start }
  }
}

/** The largest memory of the process so far. It shows the memory of an input even when a collection has freed it. */
function peakBytes(): number {
  return process.resourceUsage().maxRSS * 1024
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return `threw ${String(error)}`
  const at = error.stack?.split('\n').find((line) => line.startsWith('    at ')) ?? ''
  return `${error.name}: ${error.message.slice(0, SHOWN_LENGTH)}${at}`
}

/** Runs one input again, to find the cause of a finding. Throws the error of the code under test. */
export function replay<T>(target: Target<T>, inputSeed: number): Stage | Promise<Stage> {
  return target.run(target.generate(new Random(inputSeed)))
}

/** Number of inputs for one of `fuzzers` fuzzers: 20,000 for all of them, or 1,000,000 with TRIBUTARY_TEST_LONG=1. */
export function fuzzIterations(fuzzers = 5): number {
  return Math.ceil((process.env['TRIBUTARY_TEST_LONG'] === '1' ? 1_000_000 : 20_000) / fuzzers)
}
