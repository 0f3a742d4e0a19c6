import { parseJson } from '@tributary/config'
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { isScalar, parseAllDocuments, visit } from 'yaml'
import { CliError, EXIT, usageError } from './cli-error.ts'

export type Config = Readonly<Record<string, string>>

/** A connector as a file describes it. References `${…}` stand in it as they were written. */
export interface ConnectorDocument {
  readonly name: string
  /** Without `name`. */
  readonly config: Config
  /** Of KIP-980, for a connector that is made: RUNNING, PAUSED or STOPPED. */
  readonly initialState: string | null
  /** The file, and the number of the document in it where there are several. */
  readonly from: string
}

const KINDS = ['.json', '.yaml', '.yml']

/**
 * The connectors of files and folders, `-` being stdin: `{name, config}` or settings with a `name`, several in a list or as several YAML
 * documents. A folder gives its .json, .yaml and .yml files by name, not those of its folders. Throws a usage error that names the file.
 */
export async function readConnectors(
  paths: readonly string[],
  stdin: NodeJS.ReadableStream,
): Promise<ConnectorDocument[]> {
  const documents = (await readValues(paths, stdin)).map(({ value, from }) => connectorOf(value, from))
  const seen = new Map<string, string>()
  for (const { name, from } of documents) {
    const other = seen.get(name)
    if (other !== undefined) throw usageError(`${from} and ${other} both describe ${name}.`, 'Delete one of them.')
    seen.set(name, from)
  }
  if (documents.length === 0) throw usageError(`${paths.join(', ')} describes no connector.`)
  return documents
}

interface Value {
  readonly value: unknown
  readonly from: string
}

/** The values of the documents. Numbers and true and false are text as they were written. */
export async function readValues(paths: readonly string[], stdin: NodeJS.ReadableStream): Promise<Value[]> {
  const files = (await Promise.all(paths.map(filesOf))).flat()
  const all: Value[] = []
  for (const file of files) {
    const source = file === '-' ? await text(stdin) : await contentOf(file)
    const from = file === '-' ? 'stdin' : file
    const values = parsed(source, from).flatMap((value) => (Array.isArray(value) ? (value as unknown[]) : [value]))
    for (const [i, value] of values.entries()) {
      all.push({ value, from: values.length === 1 ? from : `${from} (document ${i + 1})` })
    }
  }
  return all
}

async function filesOf(path: string): Promise<string[]> {
  if (path === '-') return ['-']
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    const missing = error.code === 'ENOENT'
    throw missing
      ? usageError(`There is no file or folder ${path}.`)
      : new CliError(EXIT.failed, `${path} cannot be read: ${error.message}.`)
  })
  if (!found.isDirectory()) return [path]
  const names = (await readdir(path)).sort().filter((name) => KINDS.includes(extname(name).toLowerCase()) && !name.startsWith('.')) // prettier-ignore
  if (names.length === 0) throw usageError(`The folder ${path} has no ${KINDS.join(', ')} file.`)
  return names.map((name) => join(path, name))
}

async function contentOf(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).replace(/^\ufeff/, '')
  } catch (error) {
    throw new CliError(EXIT.failed, `${file} cannot be read: ${(error as Error).message}.`)
  }
}

function parsed(source: string, from: string): unknown[] {
  const isJson = extname(from).toLowerCase() === '.json' || /^\s*[[{]/.test(source)
  if (isJson) {
    try {
      return [parseJson(source, { numbers: 'text' })]
    } catch (error) {
      throw usageError(`${from} is no JSON: ${(error as Error).message}.`)
    }
  }
  return parseAllDocuments(source, { schema: 'failsafe', merge: true })
    .filter(
      (document) => document.contents !== null && (!isScalar(document.contents) || document.contents.source !== ''),
    )
    .map((document) => {
      const [error] = document.errors
      if (error !== undefined) throw usageError(`${from} is no YAML: ${error.message.split('\n')[0]}`)
      visit(document, {
        Pair: (_, { key, value }) => {
          // Without a schema, null is the text "null" and nothing is the empty text: both are rather mistakes.
          const empty = isScalar(value) && value.type === 'PLAIN' && /^(~|null|Null|NULL|)$/.test(value.source ?? '')
          if (empty) throw usageError(`${from}: ${String(key)} has no value.`, "Write '' for the empty text.")
        },
      })
      return document.toJS() as unknown
    })
}

/** Exported for tests. */
export function connectorOf(value: unknown, from: string): ConnectorDocument {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw usageError(`${from} describes no connector.`, 'Write {"name": …, "config": {…}}, or settings with a name.')
  }
  const fields = value as Record<string, unknown>
  const wrapped = typeof fields['config'] === 'object' && fields['config'] !== null
  const { name: inner, ...config } = settingsOf(wrapped ? (fields['config'] as object) : fields, from)
  const name = wrapped ? (fields['name'] ?? inner) : inner
  if (typeof name !== 'string' || name === '') {
    throw usageError(`${from} has no name.`, `Add "name", such as ${JSON.stringify(basename(from, extname(from)))}.`)
  }
  if (wrapped) {
    const unknown = Object.keys(fields).find((field) => !['name', 'config', 'initial_state', 'tasks', 'type'].includes(field)) // prettier-ignore
    if (unknown !== undefined) throw usageError(`${from}: ${name} has the field ${unknown} beside "config".`, 'Settings go into "config".') // prettier-ignore
    if (inner !== undefined && inner !== name) throw usageError(`${from} is named ${name}, and ${inner} in its config.`)
  }
  const state = wrapped ? fields['initial_state'] : undefined
  return { name, config, from, initialState: typeof state === 'string' ? state : null }
}

function settingsOf(fields: object, from: string): Record<string, string> {
  const entries = Object.entries(fields).map(([key, value]: [string, unknown]) => {
    if (typeof value === 'string') return [key, value] as const
    if (typeof value === 'boolean' || typeof value === 'number') return [key, String(value)] as const
    throw usageError(`${from}: ${key} is no text.`, 'Settings of connectors are text, numbers, true and false; a list is a text with commas.') // prettier-ignore
  })
  return Object.fromEntries(entries)
}
