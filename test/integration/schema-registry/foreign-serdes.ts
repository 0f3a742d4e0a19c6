import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type CommandLine, javaClassPath, pythonPackages, temporaryFolder } from '@tributary/harness'

const fixtures = fileURLToPath(new URL('../../fixtures/schema-registry/', import.meta.url))

export interface CopyRequest {
  readonly format: 'AVRO' | 'JSON' | 'PROTOBUF'
  /** Of Confluent's REST API. */
  readonly url: string
  readonly topic: string
  readonly isKey: boolean
  readonly bytes: Uint8Array
  /** The Java class of a Protobuf message, which Apicurio's deserializer does not find by the indexes in the frame. */
  readonly message?: string
  /** Write with a schema whose parts are schemas of their own. Apicurio only. */
  readonly references?: boolean
}

/** What a client of another maker read of a record (see `plain`), and what the same client then wrote of that. */
export interface Copy {
  readonly value: unknown
  readonly bytes: Buffer
}

export interface ForeignSerdes {
  /** Rejects with the client's error. */
  copy(request: CopyRequest): Promise<Copy>
  stop(): Promise<void>
}

/** The deserializers and serializers of Python's confluent-kafka. */
export async function confluentKafka(): Promise<ForeignSerdes> {
  const python = await pythonPackages(join(fixtures, 'confluent-kafka.txt'))
  return start('confluent-kafka', python.program(join(fixtures, 'confluent_kafka_serdes.py'), []))
}

/** Those of Apicurio for Kafka, on a JVM. */
export async function apicurioSerdes(): Promise<ForeignSerdes> {
  const path = await javaClassPath(join(fixtures, 'apicurio-serdes.xml'), "Apicurio's serializers")
  const args = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xmx256m', join(fixtures, 'ApicurioSerdes.java')]
  return start("Apicurio's serializers", { command: 'java', args, env: { CLASSPATH: path } })
}

function start(what: string, { command, args, env }: CommandLine): ForeignSerdes {
  const log = join(temporaryFolder('serdes'), 'serdes.log')
  const child = spawn(command, [...args], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', openSync(log, 'a')],
  })
  const stdin = child.stdin!
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  let turn: Promise<unknown> = Promise.resolve()
  const ask = async ({ bytes, ...request }: CopyRequest): Promise<Copy> => {
    stdin.write(`${JSON.stringify({ ...request, bytes: Buffer.from(bytes).toString('base64') })}\n`)
    const { value: line, done } = await lines.next()
    if (done === true) throw new Error(`${what} ended; its log is ${log}`)
    const answer = JSON.parse(line) as { error?: string; value?: unknown; bytes?: string }
    if (answer.error !== undefined) throw new Error(`${what}: ${answer.error}`)
    return { value: answer.value, bytes: Buffer.from(answer.bytes!, 'base64') }
  }
  return {
    copy: (request) => {
      const answer = turn.then(() => ask(request))
      turn = answer.catch(() => undefined)
      return answer
    },
    stop: async () => {
      const exited = once(child, 'exit')
      stdin.end()
      await exited
    },
  }
}
