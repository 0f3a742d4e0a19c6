import type { fromIni } from '@aws-sdk/credential-providers'
import type { Clock } from '@tributary/connect-api'
import { type AwsAction, awsFailure } from './failure.ts'
import type { Connections } from './http.ts'
import { checkProfileFile } from './profile-file.ts'
import { type AwsSettings, location } from './settings.ts'

/** The SDK renews credentials five minutes before they expire; so do we, beside the requests. */
const RENEW_MS = 300_000

/** A key of AWS. Without `expiration` nothing says how long it is good. */
export type Credentials = Awaited<ReturnType<ReturnType<typeof fromIni>>>

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
  const { fromIni, fromNodeProviderChain } = await import('@aws-sdk/credential-providers')
  const clientConfig = { ...location(settings, settings.endpoints.sts), requestHandler: handler }
  const action = { what: 'get credentials', permission: 'sts:AssumeRoleWithWebIdentity', service: 'sts' } as const
  // Made anew each time, so that files are read again.
  if (profile === null) return told(() => fromNodeProviderChain({ clientConfig, ignoreCache: true })(), action)
  const file = profile.file === null ? {} : { filepath: profile.file }
  const field = 'aws.credentials.profile'
  const source = { profile: profile.name, ...file, clientConfig, ignoreCache: true }
  const credentials = async (): Promise<Credentials> => {
    if (profile.file !== null) await checkProfileFile(profile.file)
    return fromIni(source)()
  }
  return told(credentials, {
    ...action,
    of: `of profile ${profile.name}`,
    permission: 'sts:AssumeRole',
    field,
  })
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
