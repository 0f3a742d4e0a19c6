import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type CommandLine, pythonPackages } from '@tributary/harness'
import { builtGoProgram } from '../../support/foreign-server.ts'

const run = promisify(execFile)
const here = import.meta.dirname
const target = join(here, 'target')

/** The result of a reference for one message. */
export type Verdict =
  | { readonly kind: 'json'; readonly json: string }
  /** `decode!`: malformed; `json!`: well-formed and without a JSON form. */
  | { readonly kind: 'decode!' | 'json!'; readonly why: string }

/**
 * Builds the Java reference with Maven, and fetches the protoc of the same version. Returns the path of a
 * FileDescriptorSet.
 */
export async function buildReference(): Promise<string> {
  await run('mvn', ['-q', '-B', `-Dprotoc.platform=${platform()}`, 'package'], { cwd: here })
  const protoc = join(target, 'protoc.exe')
  await chmod(protoc, 0o755)
  const set = join(target, 'all.desc')
  const folders = ['-I', join(here, 'proto'), '-I', join(target, 'include')]
  await run(protoc, ['--include_imports', `--descriptor_set_out=${set}`, ...folders, 'two.proto', 'three.proto'])
  return set
}

/** Google's names of operating systems and processors. */
function platform(): string {
  const system = process.platform === 'darwin' ? 'osx' : process.platform === 'win32' ? 'windows' : 'linux'
  return `${system}-${process.arch === 'arm64' ? 'aarch_64' : 'x86_64'}`
}

/** Converts all messages in one process, with the types of a FileDescriptorSet. */
export type Reference = (set: string, messages: readonly Message[]) => Promise<Verdict[]>

export interface Message {
  readonly type: string
  readonly bytes: Buffer
}

/** protobuf-java-util, with default values included. */
export const javaJson: Reference = (set, messages) => {
  const classPath = [join(target, 'classes'), join(target, 'lib', '*')].join(process.platform === 'win32' ? ';' : ':')
  const args = ['-Xss8m', '-cp', classPath, 'io.tributary.conformance.JsonReference', set]
  return answers({ command: 'java', args }, messages)
}

/** Python's json_format, with fields without presence included. */
export const pythonJson: Reference = async (set, messages) => {
  const packages = await pythonPackages(join(here, 'python', 'protobuf.txt'))
  return answers(packages.program(join(here, 'python', 'reference.py'), [set]), messages)
}

/** Go's protojson, with fields without presence included. */
export const goJson: Reference = async (set, messages) =>
  answers({ command: await builtGoProgram('protobuf-go'), args: [set] }, messages)

async function answers(
  { command, args, env }: Pick<CommandLine, 'command' | 'args' | 'env'>,
  messages: readonly Message[],
): Promise<Verdict[]> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...env } })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stdin.end(messages.map((m) => `${m.type} ${m.bytes.toString('base64')}\n`).join(''))
  const [code] = (await once(child, 'close')) as [number | null]
  const lines = Buffer.concat(chunks).toString('utf8').split('\n').slice(0, -1)
  if (code !== 0 || lines.length !== messages.length) {
    throw new Error(`${command} ended with ${code} after ${lines.length} of ${messages.length} answers`)
  }
  return lines.map((line) => {
    const [kind, rest] = [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]
    if (kind === 'json') return { kind, json: rest }
    return { kind: kind === 'json!' ? 'json!' : 'decode!', why: rest }
  })
}
