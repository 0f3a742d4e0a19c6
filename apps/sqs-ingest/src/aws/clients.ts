import type { S3Client } from '@aws-sdk/client-s3'
import type { Clock } from '@tributary/connect-api'
import { credentialSource, SharedCredentials } from './credentials.ts'
import { connections, SILENT } from './http.ts'
import type { SqsApi } from './sqs-api.ts'
import { SqsClient, type SqsClientOptions } from './sqs-client.ts'
import { type AwsSettings, location } from './settings.ts'

/** The clients of one task. They share their credentials and connections; `sqs.close` closes them all. */
export interface AwsClients {
  readonly sqs: SqsApi
  /** The client of S3, loaded with the first call. */
  s3(): Promise<S3Client>
}

export interface AwsClientsOptions extends SqsClientOptions {
  readonly clock: Clock
}

/** Loads the SDK, of which a process without a connector keeps nothing, and makes the clients. Asks nothing of AWS yet. */
export async function openAws(settings: AwsSettings, options: AwsClientsOptions): Promise<AwsClients> {
  const sdk = await import('@aws-sdk/client-sqs')
  const http = connections(settings)
  const credentials = new SharedCredentials(await credentialSource(settings, http), options.clock)
  const common = { credentials: credentials.provider, requestHandler: http.handler, logger: SILENT }
  const own = { ...common, ...location(settings, settings.endpoints.sqs) }
  const client = new sdk.SQSClient(own)
  const receiver = new sdk.SQSClient({ ...own, requestHandler: http.receiving })
  const sqs = new SqsClient({ sdk, client, receiver, credentials, settings, close: () => http.close() }, options)
  let s3: Promise<S3Client> | null = null
  return {
    sqs,
    s3: () =>
      (s3 ??= import('@aws-sdk/client-s3').then(
        ({ S3Client }) =>
          new S3Client({
            ...common,
            ...location(settings, settings.endpoints.s3),
            forcePathStyle: settings.pathStyle,
            followRegionRedirects: true,
            // Servers of other makes know no checksums beyond those that an operation requires.
            requestChecksumCalculation: 'WHEN_REQUIRED',
            responseChecksumValidation: 'WHEN_REQUIRED',
          }),
      )),
  }
}
