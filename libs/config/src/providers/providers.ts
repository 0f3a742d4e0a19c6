import { readFileSync, statSync } from 'node:fs'
import { isAbsolute, join, relative, resolve } from 'node:path'
import { ConfigException } from '../values/config-exception.ts'
import { parseProperties } from './properties.ts'
import { splitReferences } from '../values/references.ts'
import type { Reference } from '../values/references.ts'

export type Env = Readonly<Record<string, string | undefined>>

export interface ProviderOptions {
  /**
   * Folders from which the providers `file` and `dir` may read (KIP-993); absent: all. A reference to another place is
   * left as it is.
   */
  readonly allowedPaths?: readonly string[]
  /** A regular expression that must match the whole name of a variable; absent: all variables are allowed. */
  readonly envAllowlist?: string
}

export interface Resolved {
  readonly props: Record<string, string>
  /** Every text that a provider returned, for `redactor`. */
  readonly secrets: readonly string[]
}

/**
 * Replaces references by their values, as Kafka's config providers do: FileConfigProvider (`${file:path:key}`, a
 * properties file), EnvVarConfigProvider (`${env:NAME}`) and DirectoryConfigProvider (`${dir:path:name}`, one file for
 * each value). A reference to something unknown, also to an unknown provider, is left as it is. Inserted values are not
 * searched for references.
 * Throws ConfigException for a file that cannot be read. Reads the files on each call, so that a rotated secret is
 * seen.
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

/** Returns the function that resolves references. It reads each file once, however many keys refer to it. */
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

/** The content of one file of a folder. A name that leads out of the folder is not an entry of it. */
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
