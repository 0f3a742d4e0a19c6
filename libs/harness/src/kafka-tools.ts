import { javaRuntime, runProgram, type KafkaProgram } from './kafka-runtime.ts'

/** Runs one of Kafka's own command line tools (3.9.1, on Java) and returns its output. Throws when the tool fails. */
export async function kafkaTool(program: KafkaProgram, args: readonly string[]): Promise<string> {
  const runtime = await javaRuntime('3.9.1')
  return await runProgram(program, runtime.program(program, args))
}

export interface ConsumeOptions {
  readonly brokers: readonly string[]
  readonly topic: string
  /** Ends after this many records. */
  readonly maxMessages?: number
  /**
   * Ends when nothing has arrived for this long, in ms. The tool reports that as an error unless `maxMessages` was
   * reached.
   */
  readonly timeoutMs?: number
  readonly readCommitted?: boolean
}

/**
 * The values of a topic from its beginning, as printed by Kafka's own console consumer: an independent view of what we
 * wrote.
 */
export async function consoleConsume(options: ConsumeOptions): Promise<string[]> {
  const args = ['--bootstrap-server', options.brokers.join(','), '--topic', options.topic, '--from-beginning']
  if (options.maxMessages !== undefined) args.push('--max-messages', String(options.maxMessages))
  args.push('--timeout-ms', String(options.timeoutMs ?? 10_000))
  if (options.readCommitted === true) args.push('--isolation-level', 'read_committed')
  const text = await kafkaTool('kafka-console-consumer', args)
  return text.split('\n').filter((line) => line !== '')
}
