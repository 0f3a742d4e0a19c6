import { realpath } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import { ConfigException } from '../values/config-exception.ts'
import type { Pattern } from '../patterns/pattern.ts'
import { parseProperties } from './properties.ts'
import { inTime, readRegularFile } from './read-file.ts'
import { splitReferences } from '../values/references.ts'
import type { Reference } from '../values/references.ts'

export type Env = Readonly<Record<string, string | undefined>>

/** The config providers of a worker by name. `providersFrom` makes them from its settings. A provider that is absent is off. */
export type ConfigProviders = Readonly<Partial<Record<ProviderName, ConfigProvider>>>

/** `dir` and `directory` are both names of Kafka's DirectoryConfigProvider. */
export const PROVIDER_NAMES = ['file', 'dir', 'directory', 'env'] as const
export type ProviderName = (typeof PROVIDER_NAMES)[number]

export interface ConfigProvider {
  /**
   * The value of a reference; undefined when the place exists and has no such entry. Reads each place anew. Rejects with an
   * Error whose message completes "the config provider … ".
   */
  lookup(reference: Reference, reads: Reads): Promise<string | undefined>
}

/** The reads of one resolution: each file is read once, however many keys refer to it. */
export interface Reads {
  readonly files: Map<string, Promise<Map<string, string>>>
  readonly signal: AbortSignal | undefined
}

export interface Resolved {
  readonly props: Record<string, string>
  /** Every text that a provider returned, for `hideSecrets`. */
  readonly secrets: readonly string[]
}

/**
 * Replaces references by their values, as Kafka's config providers do: FileConfigProvider (`${file:path:key}`, a
 * properties file), EnvVarConfigProvider (`${env:NAME}`) and DirectoryConfigProvider (`${dir:path:name}`, one file for
 * each value). A reference to something unknown, also to an unknown provider, is left as it is. Inserted values are not
 * searched for references.
 *
 * Reads regular files of at most 1 MiB, asynchronously, and anew on each call, so that a rotated secret is seen. Throws
 * ConfigException for a file that cannot be read, for a place that is not allowed, and for one of these providers that is off;
 * throws the signal's reason.
 */
export async function resolveReferences(
  props: Readonly<Record<string, string>>,
  providers: ConfigProviders,
  signal?: AbortSignal,
): Promise<Resolved> {
  const secrets = new Set<string>()
  const reads: Reads = { files: new Map(), signal }
  const resolved: Record<string, string> = {}
  for (const [name, value] of Object.entries(props)) {
    let text = ''
    for (const part of splitReferences(value)) {
      if (typeof part === 'string') {
        text += part
        continue
      }
      const found = await lookup(providers, part, name, reads)
      if (found !== undefined && found !== '') secrets.add(found)
      text += found ?? part.source
    }
    Object.defineProperty(resolved, name, { value: text, enumerable: true, writable: true, configurable: true })
  }
  return { props: resolved, secrets: [...secrets] }
}

async function lookup(
  providers: ConfigProviders,
  reference: Reference,
  key: string,
  reads: Reads,
): Promise<string | undefined> {
  const name = PROVIDER_NAMES.find((known) => known === reference.provider)
  if (name === undefined) return undefined
  const provider = providers[name]
  if (provider === undefined) {
    throw problem(key, `The config provider ${name} is off on this worker: add ${name} to its setting config.providers`)
  }
  try {
    return await provider.lookup(reference, reads)
  } catch (cause) {
    if (reads.signal?.aborted === true) throw reads.signal.reason
    throw problem(key, (cause as Error).message, cause)
  }
}

/** `${file:path:key}`: the value of a key in a properties file. `allowedPaths` as in `allowedFile`. */
export function fileProvider(allowedPaths: readonly string[]): ConfigProvider {
  return {
    lookup: async ({ path, key }, { files, signal }) => {
      if (path === '') return undefined
      const known = files.get(path) ?? readProperties(path, allowedPaths, signal)
      files.set(path, known)
      return (await known).get(key)
    },
  }
}

/** `${dir:path:name}`: the content of a file of a folder. A name that leads out of the folder is not an entry of it. */
export function directoryProvider(allowedPaths: readonly string[]): ConfigProvider {
  return {
    lookup: async ({ path, key }, { signal }) => {
      if (path === '' || key === '' || key.includes('/') || key === '.' || key === '..') return undefined
      const file = join(path, key)
      try {
        return (await readAllowedFile(file, allowedPaths, signal)).toString('utf8')
      } catch (cause) {
        if (isMissing(cause)) return undefined
        throw new Error(`Could not read file ${file} for property ${key}: ${(cause as Error).message}`, { cause })
      }
    },
  }
}

/** `${env:NAME}`: a variable whose whole name matches `allowlist`, and which is no setting of the service itself. */
export function envProvider(env: Env, allowlist: Pattern, isOwn: (name: string) => boolean): ConfigProvider {
  return {
    lookup: async ({ path, key }) => {
      if (path !== '') throw new Error(`Path is not supported for EnvVarConfigProvider, invalid value '${path}'`)
      if (!Object.hasOwn(env, key)) return undefined
      if (isOwn(key)) throw new Error(`The variable ${key} is a setting of the service, which no connector may read`)
      if (allowlist.test(key)) return env[key]
      throw new Error(`The config provider env may not read ${key}: config.providers.env.param.allowlist.pattern is ${allowlist.source}`) // prettier-ignore
    },
  }
}

async function readProperties(
  path: string,
  allowedPaths: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Map<string, string>> {
  try {
    return parseProperties((await readAllowedFile(path, allowedPaths, signal)).toString('utf8'))
  } catch (cause) {
    // Kafka's text, and the reason after it.
    const reason = isMissing(cause) ? '' : `: ${(cause as Error).message}`
    throw new Error(`Could not read properties from file ${path}${reason}`, { cause })
  }
}

async function readAllowedFile(path: string, allowedPaths: readonly string[], signal?: AbortSignal): Promise<Buffer> {
  // A mount that hangs holds up the search for links too.
  const file = await inTime(() => allowedFile(path, allowedPaths), { signal })
  return readRegularFile(file, { signal })
}

/** These hold the environment, the memory and the devices of processes, whatever folder is allowed. */
const NEVER = ['/proc', '/sys', '/dev']

/**
 * The real path of `path`, which lies in one of `allowedPaths` (KIP-993: folders or files) after every link was followed. A
 * relative path is looked for in each of them. Rejects with an Error that says so otherwise.
 */
async function allowedFile(path: string, allowedPaths: readonly string[]): Promise<string> {
  let missing: unknown
  let isAllowed = false
  for (const allowed of allowedPaths) {
    const file = isAbsolute(path) ? resolve(path) : resolve(allowed, path)
    if (!isInside(resolve(allowed), file)) continue
    isAllowed = true
    try {
      const never = (path: string): boolean => NEVER.some((folder) => isInside(folder, path))
      const real = never(file) ? file : await realpath(file)
      if (never(real)) throw new Error(`nobody may read files in ${NEVER.join(', ')}`)
      if (isInside(await realpath(allowed), real)) return real
    } catch (cause) {
      if (!isMissing(cause)) throw cause
      missing = cause
    }
  }
  if (missing !== undefined) throw missing
  const why = isAllowed ? 'it is a link to a place outside of' : 'it lies outside of'
  throw new Error(`${why} the allowed.paths of the worker (${allowedPaths.join(', ')})`)
}

function isInside(folder: string, path: string): boolean {
  const inside = relative(folder, path)
  return inside === '' || (inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside))
}

function isMissing(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return code === 'ENOENT' || code === 'ENOTDIR'
}

function problem(name: string, message: string, cause?: unknown): ConfigException {
  return new ConfigException(message, [{ name, message }], { code: 'CONFIG_PROVIDER', cause })
}
