import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { HarnessError } from './errors.ts'
import { classPath, requireJava } from './maven.ts'

const run = promisify(execFile)

/** Kafka's programs by the name of their script in `bin/`, and the class that the script runs. */
const mainClasses = {
  'kafka-server-start': 'kafka.Kafka',
  'kafka-storage': 'kafka.tools.StorageTool',
  'kafka-console-consumer': 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  'kafka-console-producer': 'org.apache.kafka.tools.ConsoleProducer',
  'kafka-topics': 'org.apache.kafka.tools.TopicCommand',
  'kafka-consumer-groups': 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  'kafka-configs': 'kafka.admin.ConfigCommand',
  'connect-distributed': 'org.apache.kafka.connect.cli.ConnectDistributed',
} as const
export type KafkaProgram = keyof typeof mainClasses

export const kafkaVersions = ['3.9.1', '4.2.0'] as const
export type KafkaVersion = (typeof kafkaVersions)[number]

export interface ProgramOptions {
  /** Mounted under the same name in a container. */
  readonly folder?: string
  /** Ports of the loopback address at which the program is to be reached. */
  readonly ports?: readonly number[]
  /** Of the container, so that it can be killed. */
  readonly name?: string
  readonly heapMb?: number
}

export interface CommandLine {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** Where Kafka's programs come from: a Docker engine's image, or Java and Maven's jars. */
export interface KafkaRuntime {
  readonly kind: 'docker' | 'java'
  /** What a server binds: in a container all of the container's own addresses, of which Docker publishes loopback only. */
  readonly bindAddress: string
  program(program: KafkaProgram, args: readonly string[], options?: ProgramOptions): CommandLine
  /** What SIGKILL to the started process leaves behind. */
  killByName(name: string): Promise<void>
}

/**
 * A Docker engine if there is one, else Java 17+ with Maven. Throws HarnessError, one sentence, when there is neither.
 *
 * @param onFetch called with what has to be fetched, if something has to be
 */
export async function kafkaRuntime(version: KafkaVersion, onFetch?: (what: string) => void): Promise<KafkaRuntime> {
  if (!(await hasDocker())) return await javaRuntime(version, onFetch)
  if (onFetch !== undefined && !(await hasImage(version))) onFetch(`Kafka's image ${imageOf(version)}`)
  return dockerRuntime(version)
}

/** Kafka's programs on Java whether or not there is a Docker engine. */
export async function javaRuntime(version: KafkaVersion, onFetch?: (what: string) => void): Promise<KafkaRuntime> {
  await requireJava()
  const path = await classPath(`kafka-${version}`, () => onFetch?.(`the jars of Kafka ${version}`))
  return {
    kind: 'java',
    bindAddress: '127.0.0.1',
    program: (program, args, options = {}) => ({
      command: 'java',
      args: [
        ...performanceOptions(program),
        `-Xmx${options.heapMb ?? 256}m`,
        // Native codecs are unpacked there, and stay after a kill -9.
        `-Djava.io.tmpdir=${options.folder ?? tmpdir()}`,
        // Log4j 1 in Kafka 3; Log4j 2 in Kafka 4, whose own default is to log errors only.
        `-Dlog4j.configuration=file:${logging(program)}`,
        `-Dlog4j2.level=${isServer(program) ? 'INFO' : 'WARN'}`,
        mainClasses[program],
        ...args,
      ],
      // Not by -cp: lists of processes stay readable.
      env: { CLASSPATH: path },
    }),
    killByName: async () => undefined,
  }
}

/** Half the CPU time of a JVM that lives for seconds, which the optimising compiler (C2) would spend on code that is soon gone. */
const SHORT_LIVED = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC']

/** Servers take KAFKA_JVM_PERFORMANCE_OPTS, as Kafka's own scripts do; nothing by default. */
function performanceOptions(program: KafkaProgram): readonly string[] {
  if (!isServer(program)) return SHORT_LIVED
  return (process.env['KAFKA_JVM_PERFORMANCE_OPTS'] ?? '').split(' ').filter((option) => option !== '')
}

function isServer(program: KafkaProgram): boolean {
  return program === 'kafka-server-start' || program === 'connect-distributed'
}

function logging(program: KafkaProgram): string {
  const file = isServer(program) ? 'log4j-server.properties' : 'log4j-tool.properties'
  return fileURLToPath(new URL(`../maven/${file}`, import.meta.url))
}

/** Runs a program to its end and gives its standard output. Throws HarnessError with the last lines it printed. */
export async function runProgram(name: KafkaProgram, line: CommandLine): Promise<string> {
  const options = { env: { ...process.env, ...line.env }, maxBuffer: 256 * 1024 * 1024 }
  try {
    return (await run(line.command, [...line.args], options)).stdout
  } catch (cause) {
    const { stdout = '', stderr = '', code } = cause as { stdout?: string; stderr?: string; code?: unknown }
    const words = (stderr.trim() === '' ? stdout : stderr).trim().split('\n').slice(0, 5).join(' ')
    throw new HarnessError(`${name} failed (exit code ${String(code)}): ${words}`)
  }
}

async function hasDocker(): Promise<boolean> {
  try {
    // The client alone is no engine: `docker info` fails, or prints an empty version, when none answers.
    const { stdout } = await run('docker', ['info', '--format', '{{.ServerVersion}}'], { timeout: 10_000 })
    return stdout.trim() !== ''
  } catch {
    return false // no client, no engine, or no permission: all mean that Docker cannot be used here
  }
}

async function hasImage(version: KafkaVersion): Promise<boolean> {
  try {
    await run('docker', ['image', 'inspect', imageOf(version)])
    return true
  } catch {
    return false
  }
}

function imageOf(version: KafkaVersion): string {
  return `apache/kafka:${version}`
}

function dockerRuntime(version: KafkaVersion): KafkaRuntime {
  const user = process.getuid === undefined ? [] : ['--user', `${process.getuid()}:${process.getgid?.() ?? 0}`]
  return {
    kind: 'docker',
    bindAddress: '0.0.0.0',
    program: (program, args, options = {}) => ({
      command: 'docker',
      args: [
        'run',
        '--rm',
        ...(options.name === undefined ? [] : ['--name', options.name]),
        ...user,
        ...(options.folder === undefined ? [] : ['-v', `${options.folder}:${options.folder}`]),
        ...(options.ports ?? []).flatMap((port) => ['-p', `127.0.0.1:${port}:${port}`]),
        '-e',
        `KAFKA_HEAP_OPTS=-Xmx${options.heapMb ?? 256}m`,
        '-e',
        'LOG_DIR=/tmp',
        imageOf(version),
        join('/opt/kafka/bin', `${program}.sh`),
        ...args,
      ],
    }),
    killByName: async (name) => {
      // The container may have ended already; its client's exit is what is waited for.
      await run('docker', ['kill', name]).catch(() => undefined)
    },
  }
}
