import { run } from '@tributary/cli'
import { PassThrough } from 'node:stream'

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Invocation {
  readonly stdin?: string
  readonly env?: Readonly<Record<string, string>>
  /** As Ctrl-C. */
  readonly interrupted?: AbortSignal
}

/** Runs `tributary` in this process, without a terminal, a home or an environment of its own. */
export async function tributary(args: readonly string[], invocation: Invocation = {}): Promise<Ended> {
  const { stdin = '', env = {}, interrupted = new AbortController().signal } = invocation
  const texts = { stdout: '', stderr: '' }
  const stream = (name: 'stdout' | 'stderr') => ({ write: (text: string) => (texts[name] += text) })
  const code = await run(args, {
    stdin: new PassThrough().end(stdin),
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    env: { XDG_CONFIG_HOME: '/nonexistent', ...env },
    interrupted,
  })
  return { code, ...texts }
}
