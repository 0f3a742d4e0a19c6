import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { privately } from './child.ts'
import { HarnessError } from './errors.ts'
import { SHORT_LIVED } from './kafka-runtime.ts'
import { classPath } from './maven.ts'
import { endWithUs, hasEnded, temporaryFolder } from './watchdog.ts'

const source = fileURLToPath(new URL('../java/ConnectOracle.java', import.meta.url))

/** What a class of Kafka Connect is to do. Schemas and values are in the form of test/support/connect-values.ts. */
export interface OracleRequest {
  /**
   * - `transform`: records `{topic, partition, key, value, headers, timestamp, offset}`, where `offset` makes a record of a sink;
   *   result `{record}`, null if it was filtered out
   * - `predicate`: such records; result `{test}`
   * - `fromConnect`, `fromConnectHeader`: `{schema, value}`; result `{bytes}`, Base64 or null
   * - `toConnect`, `toConnectHeader`: Base64 or null; result `{schema, value}`
   * - `config`: no records; the answer has the settings of the class as `keys`
   * - `validate`: no records; the answer has `values` with the errors of each setting of `config`
   */
  readonly op:
    | 'transform'
    | 'predicate'
    | 'fromConnect'
    | 'toConnect'
    | 'fromConnectHeader'
    | 'toConnectHeader'
    | 'config'
    | 'validate'
  readonly class: string
  readonly config?: Readonly<Record<string, string>>
  readonly isKey?: boolean
  readonly topic?: string
  readonly records?: readonly unknown[]
}

export interface OracleError {
  /** Java's class, such as `org.apache.kafka.connect.errors.DataException`. */
  readonly class: string
  readonly message: string | null
  readonly cause?: OracleError
}

export interface OracleResult {
  readonly error?: OracleError
  readonly record?: unknown
  readonly test?: boolean
  readonly bytes?: string | null
  readonly schema?: unknown
  readonly value?: unknown
}

export interface OracleAnswer {
  /** The class refused its settings, or does not exist. */
  readonly error?: OracleError
  /** One for each record, in order. */
  readonly results?: readonly OracleResult[]
  readonly keys?: readonly Readonly<Record<string, unknown>>[]
  readonly values?: readonly {
    readonly name: string
    readonly value: string | null
    readonly errors: readonly string[]
  }[]
}

export interface ConnectOracle {
  /** One answer for each request, in order. Send many records at once: a call waits for its turn. */
  ask(requests: readonly OracleRequest[]): Promise<OracleAnswer[]>
  stop(): Promise<void>
}

/**
 * Starts a JVM that runs the classes of Kafka Connect 3.9.1 on given records. Its zone is UTC, its language English.
 * `jars`: the class path of others' classes, as `javaClassPath` gives it. Throws HarnessError without a JDK 17+.
 */
export async function startConnectOracle({ jars }: { readonly jars?: string } = {}): Promise<ConnectOracle> {
  const path = await classPath('kafka-3.9.1', 'the classes of Kafka Connect')
  const logFile = join(temporaryFolder('oracle'), 'oracle.log')
  const log4j = fileURLToPath(new URL('../maven/log4j-tool.properties', import.meta.url))
  const args = [
    ...SHORT_LIVED,
    '-Xmx512m',
    '-Duser.timezone=UTC',
    '-Duser.language=en',
    '-Duser.country=US',
    `-Dlog4j.configuration=file:${log4j}`,
    source,
  ]
  const log = openSync(logFile, 'a')
  const env = { ...process.env, CLASSPATH: [path, ...(jars === undefined ? [] : [jars])].join(delimiter) }
  const child = privately(() => spawn('java', args, { detached: true, stdio: ['pipe', 'pipe', log], env }))
  closeSync(log)
  const { pid, stdin, stdout } = child
  if (pid === undefined || stdin === null || stdout === null)
    throw new HarnessError('Java is needed to run the classes of Kafka Connect: install a JDK 17.')
  endWithUs(pid)

  const waiting: { resolve: (line: string) => void; reject: (error: Error) => void }[] = []
  // Node's readline would also end a line at U+2028, which JSON does not escape.
  let parts: string[] = []
  stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = text.split('\n')
    for (const end of lines.slice(0, -1)) {
      waiting.shift()?.resolve([...parts, end].join(''))
      parts = []
    }
    parts.push(lines.at(-1)!)
  })
  const exited = new Promise<void>((resolve) => {
    child.once('exit', (code) => {
      hasEnded(pid)
      resolve()
      void readFile(logFile, 'utf8').then((text) => {
        const error = new HarnessError(`the JVM with Kafka Connect's classes ended (${code}): ${text.slice(-2000)}`)
        for (const { reject } of waiting.splice(0)) reject(error)
      })
    })
  })
  // A write to a dead child breaks the pipe; the end of the child rejects what waits.
  stdin.on('error', () => undefined)
  return {
    ask: async (requests) => {
      if (child.exitCode !== null) throw new HarnessError("the JVM with Kafka Connect's classes has ended")
      const line = new Promise<string>((resolve, reject) => waiting.push({ resolve, reject }))
      stdin.write(`${JSON.stringify(requests)}\n`)
      return JSON.parse(await line) as OracleAnswer[]
    },
    stop: async () => {
      stdin.end()
      await exited
    },
  }
}
