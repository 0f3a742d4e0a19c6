import type * as Sdk from '@aws-sdk/credential-providers'
import { readRegularFile } from '@tributary/config'
import type { Clock } from '@tributary/connect-api'
import { deniedServer } from '@tributary/push-source'
import { type AwsAction, awsFailure } from './failure.ts'
import type { Connections } from './http.ts'
import { checkProfileFile } from './profile-file.ts'
import { type AwsSettings, location } from './settings.ts'

/** The SDK renews credentials five minutes before they expire; so do we, beside the requests. */
const RENEW_MS = 300_000

/** A key of AWS. Without `expiration` nothing says how long it is good. */
export type Credentials = Awaited<ReturnType<ReturnType<typeof Sdk.fromIni>>>

/** Gives credentials anew with each call. */
export type CredentialSource = () => Promise<Credentials>

/**
 * The credentials of a task, for all clients of AWS alike. Credentials that expire are renewed five minutes before, while requests go
 * on with the old ones; requests wait only for credentials that have expired.
 */
export class SharedCredentials {
  readonly #source: CredentialSource
  readonly #clock: Clock
  #current: Credentials | null = null
  #renewal: Promise<Credentials> | null = null

  constructor(source: CredentialSource, clock: Clock) {
    this.#source = source
    this.#clock = clock
  }

  /** The provider for the clients. `memoized` tells the SDK to keep no copy of its own, which would outlive `forget`. */
  readonly provider = Object.assign((): Promise<Credentials> => this.#get(), { memoized: true })

  /** AWS calls the present credentials expired: the next request asks the source again, such as a file that was rewritten. */
  forget(): void {
    this.#current = null
  }

  #get(): Promise<Credentials> {
    const current = this.#current
    const left = (current?.expiration?.getTime() ?? Infinity) - this.#clock.now()
    if (current === null || left <= 0) return this.#renew()
    // While old credentials serve, a failed renewal is tried again with the next request.
    if (left < RENEW_MS) this.#renew().catch(() => {})
    return Promise.resolve(current)
  }

  #renew(): Promise<Credentials> {
    this.#renewal ??= this.#source()
      .then((credentials) => (this.#current = credentials))
      .finally(() => (this.#renewal = null))
    return this.#renewal
  }
}

/**
 * The source that the settings name: the static key, else the profile, else the SDK's chain (environment, SSO, files, process, web
 * identity, container, instance); and on top of it the role to assume. Loads STS only for a role.
 */
export async function credentialSource(settings: AwsSettings, { handler }: Connections): Promise<CredentialSource> {
  const base = await baseSource(settings, handler)
  const { role } = settings
  if (role === null) return base
  const { fromTemporaryCredentials } = await import('@aws-sdk/credential-providers')
  const assume = fromTemporaryCredentials({
    masterCredentials: Object.assign(base, { memoized: true }),
    params: {
      RoleArn: role.arn,
      RoleSessionName: role.sessionName,
      DurationSeconds: role.durationSeconds,
      ...(role.externalId !== null && { ExternalId: role.externalId }),
    },
    clientConfig: { ...location(settings, settings.endpoints.sts), requestHandler: handler },
  })
  const action = { what: 'assume the role', of: role.arn, permission: 'sts:AssumeRole', service: 'sts' } as const
  return told(assume, { ...action, field: 'aws.assume.role.arn' })
}

async function baseSource(settings: AwsSettings, handler: Connections['handler']): Promise<CredentialSource> {
  const { key, profile } = settings
  if (key !== null) {
    return () =>
      Promise.resolve({
        accessKeyId: key.id,
        secretAccessKey: key.secret.reveal(),
        ...(key.sessionToken !== null && { sessionToken: key.sessionToken.reveal() }),
      })
  }
  const sdk = await import('@aws-sdk/credential-providers')
  // The host's identity goes to the region's STS, or to the one that AWS's own variables name: a connector may not choose who gets it.
  const clientConfig = { ...location(settings, null), requestHandler: handler }
  const action = { what: 'get credentials', permission: 'sts:AssumeRoleWithWebIdentity', service: 'sts' } as const
  // Made anew each time, so that files are read again.
  if (profile === null) return told(async () => (await chainOf(sdk, clientConfig))(), action)
  const file = profile.file === null ? {} : { filepath: profile.file }
  const field = 'aws.credentials.profile'
  const source = { profile: profile.name, ...file, clientConfig, ignoreCache: true }
  const ofProfile = async (): Promise<Credentials> => {
    if (profile.file !== null) {
      await checkProfileFile(profile.file)
      await checkCredentialSource(profile.file)
    }
    return sdk.fromIni(source)()
  }
  return told(ofProfile, {
    ...action,
    of: `of profile ${profile.name}`,
    permission: 'sts:AssumeRole',
    field,
  })
}

type ClientConfig = ReturnType<typeof location> & { readonly requestHandler: Connections['handler'] }

/** The SDK's chain. Its last link, a server beside this process, takes no agent of ours: it is left out where the worker denies that server. */
async function chainOf(sdk: typeof Sdk, clientConfig: ClientConfig): Promise<CredentialSource> {
  const denied = await deniedServer({ host: credentialServer() })
  if (denied === null) return sdk.fromNodeProviderChain({ clientConfig, ignoreCache: true })
  const { createCredentialChain, fromEnv, fromIni, fromProcess, fromTokenFile } = sdk
  const links = [
    fromEnv(),
    fromIni({ clientConfig, ignoreCache: true }),
    fromProcess(),
    fromTokenFile({ clientConfig }),
  ]
  return createCredentialChain(...links, () => Promise.reject(denied))
}

/** The host that gives a container or an instance the credentials of its role, as the SDK finds it. */
function credentialServer(): string {
  const { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: relative, AWS_CONTAINER_CREDENTIALS_FULL_URI: full } = process.env
  if (relative) return '169.254.170.2'
  return URL.parse(full ?? process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] ?? '')?.hostname ?? '169.254.169.254'
}

/** Throws ConfigError for a file whose profiles take credentials of a server that the worker denies. */
async function checkCredentialSource(file: string): Promise<void> {
  const denied = await deniedServer({ host: credentialServer() })
  if (denied === null) return
  // The SDK tells of a file that is not there.
  const text = String(await readRegularFile(file).catch(() => ''))
  if (/^\s*credential_source\s*=\s*(?:Ec2InstanceMetadata|EcsContainer)\b/im.test(text)) throw denied
}

/** Errors of STS are told as such, since those of SQS and S3 mean other permissions and endpoints. */
function told(source: CredentialSource, action: AwsAction): CredentialSource {
  return async () => {
    try {
      return await source()
    } catch (error) {
      throw awsFailure(error, action)
    }
  }
}
