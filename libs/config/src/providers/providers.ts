import { readFileSync, statSync } from 'node:fs'
import { isAbsolute, join, relative, resolve } from 'node:path'
import { ConfigException } from '../values/config-exception.ts'
import { parseProperties } from './properties.ts'
import { splitReferences } from '../values/references.ts'
import type { Reference } from '../values/references.ts'

export type Env = Readonly<Record<string, string | undefined>>

export interface ProviderOptions {
  /** Folders below which `file` and `dir` may read (KIP-993); absent: everywhere. What lies elsewhere stays literal. */
  readonly allowedPaths?: readonly string[]
  /** A regular expression that a variable's whole name must match; absent: any. */
  readonly envAllowlist?: string
}

export interface Resolved {
  readonly props: Record<string, string>
  /** Every text that a provider gave, for `redactor`. */
  readonly secrets: readonly string[]
}

/**
 * Puts values in the place of references, as Kafka's FileConfigProvider (`${file:path:key}`, a properties file),
 * EnvVarConfigProvider (`${env:NAME}`) and DirectoryConfigProvider (`${dir:path:name}`, one file a value) do. What is not
 * found, an unknown provider included, stays as it stands; what was put in is not searched again.
 * Throws ConfigException for a file that cannot be read. Reads files on each call, so that a rotated secret is seen.
 */
export function resolveReferences(
  props: Readonly<Record<string, string>>,
  env: Env,
  options: ProviderOptions = {},
): Resolved {
  const secrets = new Set<string>()
  const lookup = createLookup(env, options)
  const resolved = Object.entries(props).map(([name, value]): [string, string] => {
    let text = ''
    for (const part of splitReferences(value)) {
      if (typeof part === 'string') {
        text += part
        continue
      }
      const found = lookup(part, name)
      if (found !== undefined && found !== '') secrets.add(found)
      text += found ?? part.source
    }
    return [name, text]
  })
  return { props: Object.fromEntries(resolved), secrets: [...secrets] }
}

/** Answers references; one file is read once, however many keys refer to it. */
function createLookup(env: Env, options: ProviderOptions): (reference: Reference, name: string) => string | undefined {
  const files = new Map<string, Map<string, string>>()
  return ({ provider, path, key }, name) => {
    switch (provider) {
      case 'env':
        return fromVariable(env, path, key, name, options)
      case 'file': {
        if (path === '' || !isAllowed(path, options)) return undefined
        let entries = files.get(path)
        if (!entries) files.set(path, (entries = readProperties(path, name)))
        return entries.get(key)
      }
      case 'dir':
      case 'directory':
        return path === '' || !isAllowed(path, options) ? undefined : readEntry(path, key, name)
      default:
        return undefined
    }
  }
}

function fromVariable(env: Env, path: string, key: string, name: string, options: ProviderOptions): string | undefined {
  if (path !== '') throw problem(name, `Path is not supported for EnvVarConfigProvider, invalid value '${path}'`)
  const { envAllowlist } = options
  if (envAllowlist !== undefined && !new RegExp(`^(?:${envAllowlist})$`).test(key)) return undefined
  return Object.hasOwn(env, key) ? env[key] : undefined
}

function readProperties(path: string, name: string): Map<string, string> {
  try {
    return parseProperties(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw problem(name, `Could not read properties from file ${path}`, cause)
  }
}

/** A file of a folder; names that lead out of the folder are no entries of it. */
function readEntry(path: string, key: string, name: string): string | undefined {
  if (key === '' || key.includes('/') || key === '.' || key === '..') return undefined
  const file = join(path, key)
  try {
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return undefined
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw problem(name, `Could not read file ${file} for property ${key}`, cause)
  }
}

function isAllowed(path: string, { allowedPaths }: ProviderOptions): boolean {
  if (allowedPaths === undefined) return true
  return allowedPaths.some((allowed) => {
    const inside = relative(resolve(allowed), resolve(path))
    return inside === '' || (!inside.startsWith('..') && !isAbsolute(inside))
  })
}

function problem(name: string, message: string, cause?: unknown): ConfigException {
  return new ConfigException(message, [{ name, message }], { code: 'CONFIG_PROVIDER', cause })
}
