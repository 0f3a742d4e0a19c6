import { commonErrors, ConnectError } from '@tributary/connect-api'
import { isUntrusted, reasonOf } from '@tributary/push-source'
import { sqsErrors } from '../errors.ts'

/** What was asked of AWS, as it completes "Failed to …". */
export interface AwsAction {
  /** Such as `receive messages from SQS`. Operators search their logs for these words. */
  readonly what: string
  /** The queue, object or role. */
  readonly of?: string
  /** The action of IAM, such as `sqs:ReceiveMessage`. */
  readonly permission?: string
  /** The service. Its endpoint and its meaning of "not found" differ. Default: sqs. */
  readonly service?: 'sqs' | 's3' | 'sts'
  /** The setting that a config error concerns, if the error itself does not tell. */
  readonly field?: string
}

/** What errors of the SDK have beside name and message (ServiceException of @smithy/core). */
interface SdkError {
  readonly name?: string
  readonly message?: string
  readonly code?: unknown
  readonly $metadata?: { readonly httpStatusCode?: number }
  readonly $retryable?: unknown
  readonly $response?: unknown
  readonly cause?: unknown
}

type Verdict = readonly [error: keyof typeof sqsErrors, todo: string, field?: string | undefined]

const THROTTLED =
  /^(?:.*Throttl.*|OverLimit|SlowDown|RequestLimitExceeded|TooManyRequestsException|LimitExceededException|BandwidthLimitExceeded|PriorRequestNotComplete)$/
const GONE = /^(?:(?:AWS\.SimpleQueueService\.)?(?:NonExistentQueue|QueueDoesNotExist)|InvalidAddress)$/
const EXPIRED = /^(?:ExpiredToken|ExpiredTokenException|TokenRefreshRequired|RequestExpired)$/
const UNKNOWN_KEY =
  /^(?:InvalidClientTokenId|UnrecognizedClientException|InvalidAccessKeyId|InvalidToken|SignatureDoesNotMatch|InvalidSignatureException|MissingAuthenticationToken(?:Exception)?|IncompleteSignature(?:Exception)?|InvalidSecurity|NotAuthorized|OptInRequired)$/
const DENIED =
  /^(?:AccessDenied|AccessDeniedException|UnauthorizedOperation|AllAccessDisabled|AccountProblem|Forbidden)$/
const REGION =
  /^(?:AuthorizationHeaderMalformed|PermanentRedirect|IncorrectEndpoint|IllegalLocationConstraintException)$/
const OBJECT =
  /^(?:NoSuchKey|NoSuchVersion|NoSuchBucket|InvalidObjectState|InvalidBucketName|KeyTooLongError|NotFound|MethodNotAllowed)$/
const NETWORK =
  /^(?:ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_|EADDR|EPROTO|ERR_SOCKET|ERR_SSL|ERR_TLS|HPE_|UND_ERR)/
const TIMEOUT = /^(?:TimeoutError|RequestTimeout|RequestTimeoutException)$/
const ENDPOINT_KEYS = {
  sqs: 'aws.endpoint.override',
  s3: 'aws.s3.endpoint.override',
  sts: 'aws.sts.endpoint.override',
} as const

/** Whether AWS says that credentials which were good have expired. New ones may be there already. */
export function isExpired(error: unknown): boolean {
  return EXPIRED.test(nameOf(error as SdkError))
}

/** Whether SQS says that there is no such queue: an answer of `awsFailure`. */
export function isGone(error: unknown): boolean {
  return error instanceof ConnectError && error.code === 'SQS_QUEUE_GONE'
}

/** Whether AWS does not take the credentials, whatever they would ask for. */
export function isRefusedLogin(error: unknown): boolean {
  return isExpired(error) || (UNKNOWN_KEY.test(nameOf(error as SdkError)) && !isRegion(error as SdkError))
}

/**
 * Any error of the AWS SDK as one of the four kinds: retriable (throttled, 5xx, network), data (an object of S3), config, fatal. The
 * text says what failed, AWS's own words, and what to change.
 */
export function awsFailure(error: unknown, action: AwsAction): ConnectError {
  if (error instanceof ConnectError) return onField(error, action)
  const [code, todo, field] = verdict(error ?? {}, action)
  const sdk = hidden(error ?? {})
  const of = action.of === undefined ? '' : ` ${action.of}`
  const message = `Failed to ${action.what}${of}: ${reason(sdk)}${todo === '' ? '' : `; ${todo}`}`
  const on = field ?? action.field
  return sqsErrors[code](message, { cause: sdk, ...(on !== undefined && { field: on }) })
}

/** Codes of AWS, but those that the SDK gives to an answer without one, or that it could not parse. */
const CODE = /^(?!(?:Unknown|Syntax)?Error$|Unknown$|NotFound$)[A-Z][\w.]*$/

/** The refusal of an address knows no setting. */
function onField(error: ConnectError, { field }: AwsAction): ConnectError {
  if (error.code !== 'ADDRESS_DENIED' || error.field !== undefined || field === undefined) return error
  return commonErrors.ADDRESS_DENIED(error.message, { cause: error.cause, field })
}

/** AWS shows the request that a wrong signature was made for, with the session token: no log and no trace may have that. */
function hidden(error: SdkError): SdkError {
  const { message = '', $metadata } = error
  const status = $metadata?.httpStatusCode
  if (status !== undefined && !CODE.test(nameOf(error))) {
    // The body of another server than AWS's may be a secret: an endpoint can be any.
    const text = `the server answered with HTTP status ${status}, and not as AWS does`
    return Object.assign(new Error(text), $metadata && { $metadata })
  }
  const shown = message.replace(/(x-amz-security-token[:=])[^\s'"&]+/gi, '$1[hidden]')
  if (shown === message) return error
  const stack = error instanceof Error ? error.stack?.replaceAll(message, shown) : undefined
  return Object.assign(new Error(shown), { ...error, name: nameOf(error), message: shown, stack })
}

function verdict(error: SdkError, action: AwsAction): Verdict {
  const { service = 'sqs' } = action
  const name = nameOf(error)
  const status = error.$metadata?.httpStatusCode ?? 0
  if (name === 'CredentialsProviderError') return credentialsVerdict(error, action)
  if (THROTTLED.test(name) || status === 429) return ['SQS_OUTAGE', '']
  if (isUntrusted(error)) {
    return ['SQS_ENDPOINT', 'the certificate must be of a trusted CA: name the CA in NODE_EXTRA_CA_CERTS of the worker', ENDPOINT_KEYS[service]] // prettier-ignore
  }
  if (GONE.test(name)) {
    return ['SQS_QUEUE_GONE', 'correct the queue, aws.region, or the account by the credentials']
  }
  if (EXPIRED.test(name)) {
    return ['SQS_CREDENTIALS', 'the credentials have expired and nothing renews them: use a role, or put new ones into aws.access.key.id, aws.secret.access.key and aws.session.token', 'aws.access.key.id'] // prettier-ignore
  }
  if (isRegion(error)) return ['SQS_REGION', 'correct aws.region', 'aws.region']
  if (UNKNOWN_KEY.test(name)) {
    return ['SQS_CREDENTIALS', 'correct aws.access.key.id and aws.secret.access.key, or what gives the credentials in their place', 'aws.access.key.id'] // prettier-ignore
  }
  if (service === 's3' && (OBJECT.test(name) || DENIED.test(name) || status === 403 || status === 404)) {
    return ['SQS_OBJECT', denied(name, status) ? 'grant s3:GetObject, and s3:ListBucket to tell a missing object from a forbidden one' : ''] // prettier-ignore
  }
  if (denied(name, status)) {
    const permission = action.permission ?? 'the action'
    const role = service === 'sts' ? 'aws.assume.role.arn' : undefined
    return ['SQS_DENIED', `grant ${permission} to the user or role, and let the policy of ${service === 'sts' ? 'the role trust it' : 'the queue allow it'}`, role] // prettier-ignore
  }
  if (/^K(?:ms|MS\.)/.test(name)) return ['SQS_DENIED', 'the key of KMS that encrypts the queue must be enabled and its policy must allow kms:Decrypt'] // prettier-ignore
  if (status >= 500 || TIMEOUT.test(name) || name === 'QueueDeletedRecently') return ['SQS_OUTAGE', '']
  if (isNetwork(error)) return ['SQS_OUTAGE', '']
  if (error.$metadata !== undefined && (status === 404 || status === 405 || (status < 400 && !CODE.test(name)))) {
    return ['SQS_ENDPOINT', `this is no answer of AWS: correct ${ENDPOINT_KEYS[service]}`, ENDPOINT_KEYS[service]]
  }
  if (status >= 400) return ['SQS_REQUEST', '']
  // A body that does not fit its checksum was damaged on its way.
  if (/^Invalid MD5 checksum/.test(error.message ?? '')) return ['SQS_OUTAGE', '']
  return ['SQS_UNEXPECTED', '']
}

/** The chain found nothing, which a user must change; or a server of credentials did not answer, which passes. */
function credentialsVerdict(error: SdkError, { field = 'aws.access.key.id' }: AwsAction): Verdict {
  const answered = chain(error).some(
    ({ code, $metadata }) => isNetworkCode(code) || ($metadata?.httpStatusCode ?? 0) >= 500,
  )
  if (answered) return ['SQS_OUTAGE', '']
  return [
    'SQS_CREDENTIALS',
    'set aws.access.key.id and aws.secret.access.key or aws.credentials.profile, or give the host a role',
    field,
  ]
}

function denied(name: string, status: number): boolean {
  return DENIED.test(name) || /^K(?:ms|MS\.)AccessDenied/.test(name) || status === 401 || status === 403
}

function isRegion(error: SdkError): boolean {
  return (
    REGION.test(nameOf(error)) ||
    /scoped to a valid region|region '[^']*' is wrong/.test(error.message ?? '') ||
    error.$metadata?.httpStatusCode === 301
  )
}

function isNetwork(error: SdkError): boolean {
  return chain(error).some(({ code }) => isNetworkCode(code))
}

function isNetworkCode(code: unknown): boolean {
  return typeof code === 'string' && NETWORK.test(code)
}

/** The error and its causes; the causes of an AggregateError are its errors. */
function chain(error: SdkError): SdkError[] {
  const found: SdkError[] = []
  const add = (each: unknown): void => {
    if (typeof each !== 'object' || each === null || found.length > 20 || found.includes(each)) return
    found.push(each)
    if (each instanceof AggregateError) each.errors.forEach(add)
    add((each as SdkError).cause)
  }
  add(error)
  return found
}

function nameOf(error: SdkError): string {
  return (error.name ?? '').replace(/^.*#/, '')
}

/** AWS's words, with those that the documents of the JVM connector have patterns for. */
function reason(error: SdkError): string {
  const name = nameOf(error)
  const text = (reasonOf(error) || name || 'no reason given').replace(/\.$/, '')
  if (EXPIRED.test(name)) return `ExpiredTokenException: ${text}`
  if (name === 'CredentialsProviderError') return `Unable to load credentials: ${text}`
  if (TIMEOUT.test(name) || error.code === 'ETIMEDOUT') return `Connection timeout: ${text}`
  return name === '' || name === 'Error' || text.startsWith(name) ? text : `${name}: ${text}`
}
