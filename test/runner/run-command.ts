import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { CommandStage, StageOptions, StageResult } from './stage.ts'

/** Runs the stage's program and prints its output. Never throws: the result contains the error. */
export async function runCommand(stage: CommandStage, options: StageOptions): Promise<StageResult> {
  const startedAt = performance.now()
  const problem = await run(stage, options)
  return {
    name: stage.name,
    passed: problem === null ? 1 : 0,
    failed: problem === null ? 0 : 1,
    skipped: [],
    durationMs: performance.now() - startedAt,
    problems: problem === null ? [] : [problem],
    files: [],
    busy: null,
  }
}

async function run({ command: [program, ...args] }: CommandStage, options: StageOptions): Promise<string | null> {
  const { cwd, env, signal } = options
  const path = join(cwd, 'node_modules/.bin', program)
  // Runs under this Node, whichever `node` the machine has.
  const child = spawn(process.execPath, [path, ...args], { cwd, env, signal, stdio: ['ignore', 'inherit', 'inherit'] })
  try {
    const [code, killedBy] = (await once(child, 'exit')) as [number | null, string | null]
    return code === 0 ? null : `${program} ended with ${code ?? killedBy}`
  } catch (cause) {
    const reason: unknown = signal.aborted ? signal.reason : cause
    return `${program}: ${reason instanceof Error ? reason.message : String(reason)}`
  }
}
