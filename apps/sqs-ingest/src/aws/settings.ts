import type { SecretLike } from '@tributary/config'
import type { SqsSettings } from '../settings/read.ts'

/** What the clients of AWS are made with. */
export interface AwsSettings {
  readonly region: string
  readonly key: { readonly id: string; readonly secret: SecretLike; readonly sessionToken: SecretLike | null } | null
  /** `file`: null for the SDK's own places. */
  readonly profile: { readonly name: string; readonly file: string | null } | null
  readonly role: {
    readonly arn: string
    readonly sessionName: string
    readonly externalId: string | null
    readonly durationSeconds: number
  } | null
  /** null: the endpoint of the region. */
  readonly endpoints: { readonly sqs: string | null; readonly s3: string | null; readonly sts: string | null }
  readonly pathStyle: boolean
  readonly fips: boolean
  readonly dualstack: boolean
  /** ms to the first byte of an answer, beside the wait of a long poll. */
  readonly requestTimeoutMs: number
  readonly maxConnections: number
}

/** Reads the keys `aws.*`. */
export function awsSettings(config: SqsSettings): AwsSettings {
  const { 'aws.access.key.id': id, 'aws.secret.access.key': secret, 'aws.credentials.profile': profile } = config
  const { 'aws.assume.role.arn': arn, 'aws.endpoint.override': endpoint } = config
  // An endpoint of AWS's own is one of SQS alone, such as that of a VPC.
  const s3 = config['aws.s3.endpoint.override'] ?? (endpoint === null || isAws(endpoint) ? null : endpoint)
  return {
    region: config['aws.region'],
    key: id !== null && secret !== null ? { id, secret, sessionToken: config['aws.session.token'] } : null,
    profile: profile === null ? null : { name: profile, file: config['aws.credentials.file.path'] },
    role:
      arn === null
        ? null
        : {
            arn,
            sessionName: config['aws.sts.role.session.name'],
            externalId: config['aws.sts.role.external.id'],
            durationSeconds: config['aws.sts.session.duration.seconds'],
          },
    endpoints: { sqs: endpoint, s3, sts: config['aws.sts.endpoint.override'] },
    pathStyle: config['aws.s3.path.style'] ?? (s3 !== null && !isAws(s3)),
    fips: config['aws.use.fips'],
    dualstack: config['aws.use.dualstack'],
    requestTimeoutMs: config['aws.request.timeout.ms'],
    maxConnections: config['aws.http.max.connections'],
  }
}

/** Whether the endpoint is one of AWS's own, in any of its partitions. */
export function isAws(endpoint: string): boolean {
  return /\.(?:amazonaws\.com(?:\.cn)?|api\.aws|aws\.dev)$/.test(URL.parse(endpoint)?.hostname ?? '')
}

/** The part of the settings that every client of the SDK takes. Absent members leave the choice to the SDK and its environment. */
export function location({ region, fips, dualstack }: AwsSettings, endpoint: string | null) {
  return {
    region,
    ...(fips && { useFipsEndpoint: true }),
    ...(dualstack && { useDualstackEndpoint: true }),
    ...(endpoint !== null && { endpoint }),
  }
}
