import { readFileSync } from 'node:fs'
import { type Child, type ChildOptions, startChild } from '@tributary/harness'
import { until } from './until.ts'

const mainOf = (app: IngestApp): string => new URL(`../../apps/${app}/src/main.ts`, import.meta.url).pathname

/** The name of a folder in apps/. */
export type IngestApp = 'grpc-ingest' | 'ws-ingest' | 'sqs-ingest'

export interface LogEvent {
  readonly name: string
  /** null for an event of no connector. */
  readonly connector: string | null
  /** The field `records`; 0 without it. */
  readonly records: number
  readonly line: string
}

/**
 * The log of an ingest process. The process writes its log synchronously, so the last line before a kill -9 is there,
 * and shows what the process was doing.
 */
export class IngestLog {
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  events(connector?: string): LogEvent[] {
    const all = readFileSync(this.#file, 'utf8').split('\n').flatMap(parse)
    return connector === undefined ? all : all.filter((event) => event.connector === connector)
  }

  has(name: string, connector?: string): boolean {
    return this.events(connector).some((event) => event.name === name)
  }

  /** The last lines of the log, which a failed test shows. */
  tail(): string {
    return readFileSync(this.#file, 'utf8').split('\n').slice(-20).join('\n')
  }
}

function parse(line: string): LogEvent[] {
  const name = / event=(\S+)/.exec(line)?.[1]
  if (name === undefined) return []
  const connector = / connector_name=(\S+)/.exec(line)?.[1] ?? null
  return [{ name, connector, records: Number(/ records=(\d+)/.exec(line)?.[1] ?? 0), line }]
}

export interface Ingest {
  readonly child: Child
  readonly log: IngestLog
  /** Resolves when the event is in the log. */
  logged(event: string, connector?: string): Promise<void>
}

export async function startIngest(
  logFile: string,
  env: Readonly<Record<string, string>>,
  app: IngestApp = 'grpc-ingest',
  /** The command that runs Node with these arguments. */
  node: (args: readonly string[]) => Pick<ChildOptions, 'command' | 'args'> = (args) => ({
    command: process.execPath,
    args,
  }),
): Promise<Ingest> {
  const child = await startChild({
    ...node([mainOf(app)]),
    logFile,
    env: { TRIBUTARY_LOG_LEVEL: 'debug', ...env },
  })
  const log = new IngestLog(logFile)
  return {
    child,
    log,
    logged: async (event, connector) => {
      await until(`the log of ${app} says ${event}`, () => {
        if (child.exit !== undefined) throw new Error(`${app} ended before it logged ${event}:\n${log.tail()}`)
        return log.has(event, connector)
      })
    },
  }
}
