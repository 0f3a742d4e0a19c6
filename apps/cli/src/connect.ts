import { at, type Client } from './client.ts'
import type { Config } from './documents.ts'
import { HttpError } from './cli-error.ts'

/** Answers of Kafka Connect's REST API, as far as commands read them. */
export interface StateOf {
  readonly state: string
  readonly worker_id?: string
  readonly trace?: string
}

export interface Status {
  readonly name: string
  readonly type?: string
  readonly connector: StateOf
  readonly tasks: readonly (StateOf & { readonly id: number })[]
}

export interface Expanded {
  readonly status?: Status
  readonly info?: { readonly config: Config; readonly type?: string }
}

export interface Offsets {
  readonly offsets: readonly { readonly partition: unknown; readonly offset: unknown }[]
}

export async function namesOf(client: Client, timeoutMs?: number): Promise<string[]> {
  const names = (await client.get('/connectors', timeoutMs === undefined ? {} : { timeoutMs })) as string[]
  return [...names].sort()
}

export async function statusOf(client: Client, name: string): Promise<Status> {
  return (await client.get(at`/connectors/${name}/status`)) as Status
}

/** null: there is no such connector. */
export async function configOf(client: Client, name: string): Promise<Config | null> {
  try {
    return (await client.get(at`/connectors/${name}/config`)) as Config
  } catch (error) {
    if (error instanceof HttpError && error.status === 404) return null
    throw error
  }
}

/** What the server is: null for one that is not Tributary. */
export async function tributaryVersion(client: Client): Promise<string | null> {
  const { commit } = (await client.get('/')) as { commit?: string }
  return /^tributary-(.*)$/.exec(commit ?? '')?.[1] ?? null
}

/** The first line of a stack trace. */
export function reasonOf(trace: string | undefined): string {
  return trace?.split('\n', 1)[0] ?? ''
}
