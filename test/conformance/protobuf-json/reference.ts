import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const here = import.meta.dirname
const target = join(here, 'target')

/** The result of protobuf-java for one message. */
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

/** Converts all messages in one JVM. */
export async function referenceJson(
  set: string,
  messages: readonly { readonly type: string; readonly bytes: Buffer }[],
): Promise<Verdict[]> {
  const classPath = [join(target, 'classes'), join(target, 'lib', '*')].join(process.platform === 'win32' ? ';' : ':')
  const java = spawn('java', ['-Xss8m', '-cp', classPath, 'io.tributary.conformance.JsonReference', set], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const chunks: Buffer[] = []
  java.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  java.stdin.end(messages.map((m) => `${m.type} ${m.bytes.toString('base64')}\n`).join(''))
  const [code] = (await once(java, 'close')) as [number | null]
  const lines = Buffer.concat(chunks).toString('utf8').split('\n').slice(0, -1)
  if (code !== 0 || lines.length !== messages.length) {
    throw new Error(`the Java reference ended with ${code} after ${lines.length} of ${messages.length} answers`)
  }
  return lines.map((line) => {
    const [kind, rest] = [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]
    if (kind === 'json') return { kind, json: rest }
    return { kind: kind === 'json!' ? 'json!' : 'decode!', why: rest }
  })
}
