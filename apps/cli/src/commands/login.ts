import { resolve } from 'node:path'
import { Client } from '../client.ts'
import { CliError, EXIT, usageError } from '../cli-error.ts'
import type { Cli, Family } from '../cli.ts'
import { authorizationOf, type ConnectionOptions, type Profile, profileName, profilesFile, readProfiles, targetOf, writeProfiles } from '../config.ts' // prettier-ignore
import { tributaryVersion } from '../connect.ts'
import { Output } from '../output.ts'
import { askSecret } from '../prompt.ts'

/** The version of package.json. */
export const VERSION = '0.1.0'

/** `login`, `logout` and `version`. */
export const login: Family = (program, cli) => {
  program
    .command('login')
    .summary('store a server and the key for it')
    .description(
      'Store a server and the API key or password for it, after a look whether it takes them.\nThe secret is asked for, or is the first line of stdin. It is never an argument.',
    ) // prettier-ignore
    .option('--user <name>', 'log in by password instead of an API key')
    .option('--no-credentials', 'the server asks for none')
    .action((_: unknown, command: { optsWithGlobals(): LoginOptions }) => store(cli, command.optsWithGlobals()))

  program
    .command('logout')
    .summary('forget what login has stored')
    .description('Forget the server and the credentials of a profile.')
    .action(async (_: unknown, command: { optsWithGlobals(): LoginOptions }) => {
      const { env } = cli.io
      const name = profileName(command.optsWithGlobals(), env)
      const { [name]: gone, ...others } = await readProfiles(env)
      if (gone === undefined) throw new CliError(EXIT.notFound, `There is no profile ${name} in ${profilesFile(env)}.`)
      await writeProfiles(env, others)
      cli.io.stdout.write(`${gone.server} is forgotten.\n`)
    })

  program
    .command('version')
    .summary('of this program and of the server')
    .description('Show the version of this program and of the server.')
    .action(
      cli.action(async ({ client, out }) => {
        const server = await serverVersion(client)
        const value = { tributary: VERSION, node: process.versions.node, address: client.address, server }
        out.show({ value, names: [VERSION], columns: ['WHAT', 'VERSION'], rows: [['tributary', VERSION], ['node', process.versions.node], [client.address, server]] }) // prettier-ignore
      }),
    )
}

/** A server that is not there is no reason to keep one's own version to oneself. */
async function serverVersion(client: Client): Promise<string> {
  try {
    const version = await tributaryVersion(client)
    if (version !== null) return `Tributary ${version}`
    const { version: connect } = (await client.get('/')) as { version?: string }
    return `Kafka Connect ${connect ?? 'of an unknown version'}`
  } catch (error) {
    if (error instanceof CliError) return error.message
    throw error
  }
}

interface LoginOptions extends ConnectionOptions {
  readonly user?: string
  readonly credentials: boolean
  readonly output?: string
}

async function store({ io }: Cli, options: LoginOptions): Promise<void> {
  const { env } = io
  const name = profileName(options, env)
  const profiles = await readProfiles(env)
  // A profile that is made now cannot be read before.
  const { profile: _, ...others } = options
  const target = await targetOf(Object.hasOwn(profiles, name) ? options : others, Object.hasOwn(profiles, name) ? env : { ...env, TRIBUTARY_PROFILE: undefined }) // prettier-ignore
  const { server } = target
  const old = Object.hasOwn(profiles, name) ? profiles[name] : undefined
  const file = (option: 'ca' | 'cert' | 'key'): string | undefined => {
    const given = options[option] ?? env[`TRIBUTARY_${option.toUpperCase()}`] ?? (old?.server === server.href ? old[option] : undefined) // prettier-ignore
    return given === undefined ? undefined : resolve(given)
  }
  const secret = options.credentials ? await secretOf(io, options) : {}
  const profile = Object.fromEntries(
    Object.entries({ server: server.href, ...secret, ca: file('ca'), cert: file('cert'), key: file('key') }).filter(([, value]) => value !== undefined), // prettier-ignore
  ) as unknown as Profile
  const client = new Client({ ...target, authorization: authorizationOf({}, profile) })
  const version = parsedVersion(await client.get('/'))
  const written = await writeProfiles(env, { ...profiles, [name]: profile })
  const out = new Output(io, 'table')
  out.done(`${client.address} (${version}) is stored as profile ${name} in ${written}.`)
  const loopback = /^(localhost|127\.|\[::1\])/.test(server.hostname)
  if (server.protocol === 'http:' && !loopback && options.credentials) out.note('The address is http: whoever is on the way reads the secret. Use https.') // prettier-ignore
}

function parsedVersion(answer: unknown): string {
  const { version, commit } = (answer ?? {}) as { version?: string; commit?: string }
  if (version === undefined) throw new CliError(EXIT.failed, 'The server is no REST API of Kafka Connect.')
  return commit?.startsWith('tributary-') ? commit.replace('-', ' ') : `Kafka Connect ${version}`
}

async function secretOf(io: Cli['io'], { user }: LoginOptions): Promise<Partial<Profile>> {
  const secret = await askSecret(io, user === undefined ? 'API key: ' : `Password of ${user}: `)
  if (secret === '') throw usageError('No secret was given.', 'A server that asks for none: --no-credentials.')
  if (user === undefined) return { token: secret }
  if (user.includes(':')) throw usageError('A user name has no colon.')
  return { user, password: secret }
}
