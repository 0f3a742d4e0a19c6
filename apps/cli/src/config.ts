import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parse, stringify } from 'yaml'
import type { Target } from './client.ts'
import { CliError, EXIT, usageError } from './cli-error.ts'

type Env = Readonly<Record<string, string | undefined>>

/** One server with its credentials, under a name in the file. Paths are absolute. */
export interface Profile {
  readonly server: string
  readonly token?: string
  readonly user?: string
  readonly password?: string
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

/** The options that every command has. */
export interface ConnectionOptions {
  readonly server?: string
  readonly profile?: string
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  /** Seconds. */
  readonly timeout?: string
}

export const DEFAULT_SERVER = 'http://localhost:8083'
const DEFAULT_PROFILE = 'default'
const TEXTS = ['server', 'token', 'user', 'password', 'ca', 'cert', 'key'] as const

/** The file of profiles: $XDG_CONFIG_HOME/tributary/config.yaml. Only its owner may read it. */
export function profilesFile(env: Env): string {
  const base = env['XDG_CONFIG_HOME'] ?? ''
  return join(base.startsWith('/') ? base : join(env['HOME'] ?? homedir(), '.config'), 'tributary', 'config.yaml')
}

export async function readProfiles(env: Env): Promise<Record<string, Profile>> {
  const file = profilesFile(env)
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new CliError(EXIT.failed, `${file} cannot be read: ${(error as Error).message}.`)
  }
  const wrong = (): CliError =>
    usageError(`${file} is no file of profiles.`, `Mend it, or delete it and run \`tributary login\`.`)
  let value: unknown
  try {
    value = parse(text)
  } catch {
    throw wrong()
  }
  const { profiles = {} } = (value ?? {}) as { profiles?: unknown }
  if (typeof profiles !== 'object' || profiles === null || !Object.values(profiles).every(isProfile)) throw wrong()
  return profiles as Record<string, Profile>
}

function isProfile(value: unknown): value is Profile {
  if (typeof value !== 'object' || value === null) return false
  const fields = value as Record<string, unknown>
  return typeof fields['server'] === 'string' && TEXTS.every((name) => fields[name] === undefined || typeof fields[name] === 'string') // prettier-ignore
}

/** Writes the file beside itself first, so that a crash leaves the old one. */
export async function writeProfiles(env: Env, profiles: Readonly<Record<string, Profile>>): Promise<string> {
  const file = profilesFile(env)
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const next = `${file}.${process.pid}`
  await writeFile(next, stringify({ profiles }), { mode: 0o600 })
  await chmod(next, 0o600)
  await rename(next, file)
  return file
}

export function profileName({ profile }: ConnectionOptions, env: Env): string {
  return profile ?? env['TRIBUTARY_PROFILE'] ?? DEFAULT_PROFILE
}

/**
 * Options go before the environment, and that before the profile. Stored credentials go to the server for which they were stored, and
 * to no other.
 */
export async function targetOf(options: ConnectionOptions, env: Env): Promise<Target> {
  const name = profileName(options, env)
  const profiles = await readProfiles(env)
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined
  if (profile === undefined && name !== DEFAULT_PROFILE) {
    const known = Object.keys(profiles)
    const advice = known.length === 0 ? '' : ` Known are ${known.join(', ')}.`
    throw usageError(`There is no profile ${name}.`, `Run \`tributary login --profile ${name}\`.${advice}`)
  }
  const server = serverUrl(options.server ?? env['TRIBUTARY_SERVER'] ?? profile?.server ?? DEFAULT_SERVER)
  const own = profile !== undefined && serverUrl(profile.server).href === server.href ? profile : undefined
  return {
    server,
    authorization: authorizationOf(env, own),
    ca: await pem('ca', options.ca ?? env['TRIBUTARY_CA'] ?? own?.ca),
    cert: await pem('cert', options.cert ?? env['TRIBUTARY_CERT'] ?? own?.cert),
    key: await pem('key', options.key ?? env['TRIBUTARY_KEY'] ?? own?.key),
    timeoutMs: milliseconds(options.timeout ?? '60'),
  }
}

/** Seconds of an option as ms. Throws for anything but a number above 0. */
export function milliseconds(seconds: string, option = '--timeout'): number {
  const value = Number(seconds)
  if (value > 0 && value <= 86_400) return value * 1000
  throw usageError(`${option} ${seconds} is no number of seconds above 0, up to 86400.`)
}

export function authorizationOf(env: Env, profile?: Pick<Profile, 'token' | 'user' | 'password'>): string | null {
  const token = env['TRIBUTARY_TOKEN'] || profile?.token
  if (token !== undefined && token !== '') return `Bearer ${token.trim()}`
  if (profile?.user === undefined) return null
  return `Basic ${Buffer.from(`${profile.user}:${profile.password ?? ''}`).toString('base64')}`
}

/** Throws for what is no http(s) address, and for one with credentials: a list of processes and a history of commands would show them. */
export function serverUrl(text: string): URL {
  const url = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `http://${text}`)
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') {
    throw usageError(`The server ${url === null ? 'address' : url.origin} is no address.`, `Write it like ${DEFAULT_SERVER}.`) // prettier-ignore
  }
  if (url.username !== '' || url.password !== '') {
    throw usageError(
      `The address of ${url.host} holds credentials, which others could see.`,
      'Leave them out, and run `tributary login`.',
    )
  }
  return url
}

async function pem(option: string, file: string | undefined): Promise<string | null> {
  if (file === undefined || file === '') return null
  try {
    return await readFile(resolve(file), 'utf8')
  } catch (error) {
    throw usageError(`--${option} ${file} cannot be read: ${(error as Error).message}.`)
  }
}
