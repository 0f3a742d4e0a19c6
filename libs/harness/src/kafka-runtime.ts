import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { privately } from './child.ts'
import { HarnessError } from './errors.ts'
import { classPath } from './maven.ts'

const run = promisify(execFile)

/** Kafka's programs by the name of their script in `bin/`, with the class that the script runs. */
const mainClasses = {
  'kafka-server-start': 'kafka.Kafka',
  'kafka-storage': 'kafka.tools.StorageTool',
  'kafka-console-consumer': 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  'kafka-console-producer': 'org.apache.kafka.tools.ConsoleProducer',
  'kafka-topics': 'org.apache.kafka.tools.TopicCommand',
  'kafka-consumer-groups': 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  'kafka-configs': 'kafka.admin.ConfigCommand',
  'kafka-acls': 'kafka.admin.AclCommand',
  'connect-distributed': 'org.apache.kafka.connect.cli.ConnectDistributed',
} as const
export type KafkaProgram = keyof typeof mainClasses

export const kafkaVersions = ['3.9.1', '4.2.0'] as const
export type KafkaVersion = (typeof kafkaVersions)[number]

export interface ProgramOptions {
  /** Mounted under the same name in a container. */
  readonly folder?: string
  /** Ports of the loopback address at which the program must be reachable. */
  readonly ports?: readonly number[]
  /** Name of the container, so that it can be killed. */
  readonly name?: string
  readonly heapMb?: number
}

export interface CommandLine {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** The origin of Kafka's programs: an image of a Docker engine, or Java and jars from Maven. */
export interface KafkaRuntime {
  readonly kind: 'docker' | 'java'
  /** The address that a server binds. In a container it is a wildcard, of which Docker publishes loopback only. */
  readonly bindAddress: string
  program(program: KafkaProgram, args: readonly string[], options?: ProgramOptions): CommandLine
  /** Ends what a SIGKILL of the started process leaves running. */
  killByName(name: string): Promise<void>
}

/**
 * Chooses a Docker engine if there is one, else Java 17+ with Maven. Throws HarnessError, one sentence, when there is
 * neither.
 *
 * @param onFetch called with the name of what has to be fetched, if anything has
 */
export async function kafkaRuntime(version: KafkaVersion, onFetch?: (what: string) => void): Promise<KafkaRuntime> {
  if (!(await hasDocker())) return await javaRuntime(version, onFetch)
  if (onFetch !== undefined && !(await hasImage(version))) onFetch(`Kafka's image ${imageOf(version)}`)
  return dockerRuntime(version)
}

/** Kafka's programs on Java, even if there is a Docker engine. */
export async function javaRuntime(version: KafkaVersion, onFetch?: (what: string) => void): Promise<KafkaRuntime> {
  const orElse = ', or start a Docker engine, or set KAFKA_BROKERS to a running Kafka'
  const path = await classPath(`kafka-${version}`, 'Kafka', orElse, () => onFetch?.(`the jars of Kafka ${version}`))
  return {
    kind: 'java',
    bindAddress: '127.0.0.1',
    program: (program, args, options = {}) => ({
      command: 'java',
      args: [
        ...performanceOptions(program),
        `-Xmx${options.heapMb ?? 256}m`,
        // Native codecs are unpacked into this folder, and remain there after a kill -9.
        `-Djava.io.tmpdir=${options.folder ?? tmpdir()}`,
        // Kafka 3 uses Log4j 1. Kafka 4 uses Log4j 2, which logs only errors by default.
        `-Dlog4j.configuration=file:${logging(program)}`,
        `-Dlog4j2.level=${isServer(program) ? 'INFO' : 'WARN'}`,
        mainClasses[program],
        ...args,
      ],
      // The environment variable replaces `-cp`, which would make lists of processes unreadable.
      env: { CLASSPATH: path },
    }),
    killByName: async () => undefined,
  }
}

/**
 * Halves the CPU time of a JVM that lives for seconds: the optimizing compiler (C2) would work on code that is soon
 * gone.
 */
export const SHORT_LIVED = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC']

/** Servers read KAFKA_JVM_PERFORMANCE_OPTS, like Kafka's own scripts. The default is empty. */
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

/** Runs a program to its end and returns its standard output. Throws HarnessError with the last lines of the output. */
export async function runProgram(name: KafkaProgram, line: CommandLine): Promise<string> {
  const options = { env: { ...process.env, ...line.env }, maxBuffer: 256 * 1024 * 1024 }
  try {
    return (await privately(() => run(line.command, [...line.args], options))).stdout
  } catch (cause) {
    const { stdout = '', stderr = '', code } = cause as { stdout?: string; stderr?: string; code?: unknown }
    const words = (stderr.trim() === '' ? stdout : stderr).trim().split('\n').slice(0, 5).join(' ')
    throw new HarnessError(`${name} failed (exit code ${String(code)}): ${words}`)
  }
}

async function hasDocker(): Promise<boolean> {
  try {
    // The Docker client alone is no engine. Without an engine `docker info` fails or prints an empty version.
    const { stdout } = await run('docker', ['info', '--format', '{{.ServerVersion}}'], { timeout: 10_000 })
    return stdout.trim() !== ''
  } catch {
    return false // no client, no engine or no permission: Docker is unusable here
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
        ...['sh', '-c', 'umask 077; exec "$0" "$@"', join('/opt/kafka/bin', `${program}.sh`)],
        ...args,
      ],
    }),
    killByName: async (name) => {
      // The container may have ended already. The exit of its client is awaited elsewhere.
      await run('docker', ['kill', name]).catch(() => undefined)
    },
  }
}
