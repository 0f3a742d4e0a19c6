import type { PluginEntry } from '@tributary/connect-storage'

/** An error that becomes the answer `{"error_code": status, "message": …}`, or that of the operators' API. */
export class RestError extends Error {
  readonly status: number
  /** The `error` of the operators' API, such as ALREADY_RESOLVED; absent: that of the status, such as NOT_FOUND. */
  readonly code: string | undefined
  /** The `details` of the operators' API; Kafka Connect's form has none. */
  readonly details: unknown
  constructor(status: number, message: string, operators: { readonly code?: string; readonly details?: unknown } = {}) {
    super(message)
    this.name = 'RestError'
    this.status = status
    this.code = operators.code
    this.details = operators.details
  }

  /** `throw restError('…').detailed('ALREADY_RESOLVED', { resolved_ids })` */
  detailed(code: string | undefined, details?: unknown): RestError {
    return new RestError(this.status, this.message, { ...(code !== undefined && { code }), details })
  }
}

/**
 * Every error that this API creates: its status and its text. The texts are those of Kafka Connect 3.9, because clients
 * compare them. Entries marked `ours` replace Connect's answer 500 to a client's mistake, or exist only here.
 */
const ERRORS = {
  connectorNotFound: [404, (connector: string) => `Connector ${connector} not found`],
  noConnectorStatus: [404, (connector: string) => `No status found for connector ${connector}`],
  noTaskStatus: [404, (connector: string, task: number) => `No status found for task ${connector}-${task}`],
  unknownConnectorState: [404, (connector: string) => `Unknown connector ${connector}`],
  unknownConnector: [404, (connector: string) => `Unknown connector: ${connector}`],
  unknownTask: [404, (connector: string, task: number) => `Unknown task: ${connector}-${task}`],
  restartStatusMissing: [404, (connector: string) => `Status for connector ${connector} not found`],
  connectorExists: [409, (connector: string) => `Connector ${connector} already exists`],
  nameMismatch: [
    400,
    (included: string, connector: string) =>
      `Connector name configuration (${included}) doesn't match connector name in the URL (${connector})`,
  ],
  noConnectorType: [
    400,
    (config: Readonly<Record<string, string | null>>) =>
      `Connector config {${Object.entries(config)
        .map(([key, value]) => `${key}=${value}`)
        .join(', ')}} contains no connector type`,
  ],
  /** Our status: Connect answers 500. */
  unknownClass: [
    400,
    (name: string, available: readonly PluginEntry[]) =>
      `Failed to find any class that implements Connector and which name matches ${name}, available connectors are: ${available.map(describePlugin).join(', ')}`,
  ],
  unknownPlugin: [404, (plugin: string) => `Unknown plugin ${plugin}.`],
  pluginMismatch: [
    400,
    (included: string, plugin: string) => `Included connector type ${included} does not match request type ${plugin}`,
  ],
  loggerNotFound: [404, (logger: string) => `Logger ${logger} not found.`],
  levelMissing: [400, () => `Desired 'level' parameter was not specified in request.`],
  loggerTooLong: [
    400,
    (length: number, max: number) => `The name of the logger has ${length} characters; at most ${max} are allowed`,
  ],
  levelInvalid: [404, (level: string) => `invalid log level '${level}'.`],
  notStopped: [
    400,
    (connector: string) =>
      `Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified connector by issuing a 'PUT' request to the '/connectors/${connector}/stop' endpoint`,
  ],
  offsetsMissing: [400, () => 'Partitions / offsets need to be provided for an alter offsets request'],
  /** Our status: Connect answers 500. */
  offsetNested: [
    400,
    (field: string, type: string) =>
      `Offsets may only contain primitive types as values, but field ${field} contains ${type}`,
  ],
  timedOut: [500, () => 'Request timed out'],
  /** Ours, like the next two: Connect answers 409 or 500 during a rebalance. */
  noLeader: [
    503,
    () =>
      'No replica of the control plane leads at the moment, so nothing was written. An election takes some seconds: send the request again',
  ],
  writeInDoubt: [
    503,
    (why: string) =>
      `Whether the change was made is not known (${why}). Read what is there now, and send the request again if the change is missing`,
  ],
  /** Ours, like all entries below. */
  malformedJson: [400, (reason: string) => `The body is not JSON: ${reason}`],
  bodyNotObject: [400, (what: string, found: string) => `${what} must be a JSON object, not ${found}`],
  notAnArray: [400, (what: string) => `${what} must be a JSON array`],
  nestedValue: [
    400,
    (what: string, key: string, found: string) =>
      `${what}: the value of ${key} must be a string, a number, a boolean or null, not ${found}; write nested values as JSON text in a string`,
  ],
  unknownField: [
    400,
    (field: string, known: readonly string[]) => `Unrecognized field "${field}"; known are ${known.join(', ')}`,
  ],
  tooManyPatterns: [
    400,
    (count: number, max: number) =>
      `The groups of topic.creation.groups list ${count} regular expressions; at most ${max} are allowed`,
  ],
  tooManyAliases: [
    400,
    (key: string, count: number, max: number) =>
      `The setting ${key} lists ${count} aliases; at most ${max} are allowed`,
  ],
  tooManyValues: [400, (max: number) => `The body has too many values; at most ${max} are allowed`],
  configMissing: [
    400,
    () => 'The field "config" is missing: an object with connector.class and the settings of the connector',
  ],
  initialStateInvalid: [
    400,
    (state: string) => `Unknown initial_state ${state}; it must be one of RUNNING, PAUSED, STOPPED`,
  ],
  offsetTooLarge: [
    400,
    (field: string) => `Offsets may only contain integers of up to 64 bits, but field ${field} is beyond`,
  ],
  offsetsRefused: [400, (reasons: readonly string[]) => reasons.join('\n')],
  workersSilent: [
    500,
    (service: string) =>
      `No worker of the service ${service} could judge the offsets, though some are alive; nothing was changed. Their logs, or those of the control plane, say why`,
  ],
  previewBusy: [429, (message: string) => message],
  previewDisturbs: [
    409,
    (connectors: readonly string[], others: number, why: string) =>
      `A preview could disturb ${[...connectors, ...(others > 0 ? [`${others} connectors that you may not see`] : [])].join(', ')}, which read the same source: ${why}. Stop them first, or preview with force=true`,
  ],
  previewSourceAway: [502, (message: string) => `The source cannot be read: ${message}`],
  previewSourceSlow: [504, (message: string) => message],
  previewFailed: [500, (message: string) => `The preview failed: ${message}`],
  previewWorkerEnded: [
    502,
    (worker: string) =>
      `The worker ${worker} ended while it made the preview, so no other worker was asked. The configuration may be the cause: look into that worker's log, and try again`,
  ],
  previewWorkerSilent: [
    504,
    (worker: string) => `The worker ${worker} did not answer in time. Look into that worker's log, and try again`,
  ],
  previewNoWorker: [
    503,
    (service: string) =>
      `No worker of the service ${service} answers, and only a worker can read the source. Start one`,
  ],
  previewRefused: [
    502,
    (deaths: number) =>
      `Workers ended ${deaths} times while they made a preview of this configuration and of no other, so none is asked again. Their logs say why; change the configuration`,
  ],
  tailsBusy: [429, (why: string) => `${why}. End one of them, or try again later`],
  tasksRunning: [
    500,
    (connector: string, workers: readonly string[]) =>
      `The tasks of connector ${connector} have not ended yet (on ${workers.join(', ')}); nothing was changed. Try again once they have`,
  ],
  offsetsUnread: [
    500,
    (seconds: number) =>
      `The offsets topic could not be read to its end within ${seconds} s: a transaction of some task is still open, or Kafka does not answer. Try again later`,
  ],
  auditDown: [503, (trouble: string) => `Nothing was changed, because the change could not be recorded. ${trouble}`],
  auditUnwritten: [500, (trouble: string) => `The change was made, but not recorded. ${trouble}`],
  auditOff: [404, () => 'There is no audit log: audit.enabled and authentication are off'],
  queryInvalid: [
    400,
    (name: string, value: string, accepted: string) =>
      `The query parameter "${name}" must be ${accepted}, not ${value}`,
  ],
  /** A request that names itself a replica's. */
  tokenRefused: [403, (reason: string) => reason],
  internalTopicDeleted: [503, (trouble: string) => trouble],
  forbidden: [
    403,
    (who: string, right: string, connector: string | null, grant: string) =>
      `${who} has not the right "${right}"${connector === null ? '' : ` for the connector ${connector}`}; the grant ${grant} would give it`,
  ],
  maskWithoutValue: [
    400,
    (key: string) =>
      `The value of ${key} is [hidden], which stands for a stored secret, and none is stored; send the secret itself`,
  ],
  secretsKept: [
    403,
    (connector: string, kept: readonly string[], changed: readonly string[]) =>
      `You may not read the secrets of the connector ${connector}, so a change must bring its own: ${kept.join(', ')} would be kept while ${changed.join(', ')} is sent. Send every secret, or ask for the grant viewer+configs:${connector}`,
  ],
  versionInvalid: [400, (text: string) => `${text} is no number of a version: send a whole number from 1 on`],
  versionNotFound: [
    404,
    (connector: string, version: number, known: readonly { readonly version: number }[]) =>
      known.length === 0
        ? `The connector ${connector} has no history`
        : `The history of the connector ${connector} has no version ${version}; it has ${known[0]!.version} to ${known.at(-1)!.version}`,
  ],
  versionIsDeletion: [
    400,
    (connector: string, version: number) =>
      `Version ${version} of the connector ${connector} is its deletion; delete the connector, or choose another version`,
  ],
  versionShortened: [
    400,
    (connector: string, version: number) =>
      `The configuration of version ${version} of the connector ${connector} was too large to be kept, so it can be neither compared nor brought back`,
  ],
  rollbackKey: [
    400,
    (key: string, version: number, hidden: readonly string[]) =>
      `"config" may have the secrets of version ${version} only (${hidden.join(', ') || 'it has none'}), not ${key}: change other keys after the rollback`,
  ],
  secretsMissing: [
    409,
    (connector: string, version: number, keys: readonly string[]) =>
      `The history does not keep secrets, and the present configuration of the connector ${connector} lacks ${keys.join(', ')}. Send them: {"version": ${version}, "config": {${keys.map((key) => `${JSON.stringify(key)}: "…"`).join(', ')}}}`,
  ],
  planInStrict: [
    400,
    () =>
      'With connect.strict=true there are no plans: Kafka Connect would ignore the query and change the connector. Nothing was changed',
  ],
  planNotHere: [
    400,
    () => 'There are plans of PUT and PATCH …/config, and of POST …/config/rollback only. Nothing was changed',
  ],
  patternMissing: [
    400,
    () =>
      'The query parameter "pattern" is missing: names of connectors, in which * stands for any characters and ? for one',
  ],
  keysOff: [
    404,
    () =>
      'API keys are off. Add "keys" to access.authentication of the control plane (TRIBUTARY_ACCESS_AUTHENTICATION) to use them',
  ],
  keyNotFound: [404, (key: string) => `API key ${key} not found`],
  keyExists: [
    409,
    (key: string) => `API key ${key} already exists and is active; revoke it first, or choose another name`,
  ],
  keyNameInvalid: [
    400,
    (key: string) =>
      `The name ${JSON.stringify(key)} of an API key must begin with a letter or a digit, and may have letters, digits, ".", "_" and "-", at most 100`,
  ],
  keyInvalid: [400, (why: string) => `The API key cannot be made: ${why}`],
  fieldInvalid: [400, (field: string, accepted: string) => `The field "${field}" must be ${accepted}`],
  dlqOff: [404, () => 'The service of dead letters is off in this process'],
  lettersMissing: [
    400,
    (fields: readonly string[]) =>
      `The body must say which letters: by "dlq_ids", or by a filter of ${fields.join(', ')}. For all letters that nobody has dealt with: {"status": "UNRESOLVED"}`,
  ],
  idsAndFilter: [
    400,
    () => 'The body has both "dlq_ids" and a filter. Send one of them; beside ids only "connector" may stand',
  ],
  lettersUnready: [
    503,
    () => 'The index of dead letters is being built from Kafka. Send the request again in some seconds',
  ],
  letterNotFound: [404, (id: string) => `Dead letter ${id} not found`],
  letterGone: [404, (id: string) => `Kafka does not have the record of the dead letter ${id} any more`],
  lettersUnknown: [
    400,
    (invalid: readonly string[]) =>
      `There is no dead letter with the id ${invalid.slice(0, 5).join(', ')}${invalid.length > 5 ? `, and ${invalid.length - 5} more` : ''}`,
  ],
  lettersResolved: [
    409,
    (count: number, one: string) =>
      `${count} of the dead letters are resolved already, such as ${one}. Send the others alone, or replay all of them with "force": true`,
  ],
  lettersBusy: [
    409,
    (count: number, one: string, replay: string) =>
      `${count} of the dead letters are in a replay that is under way, such as ${one} in ${replay}. Wait for its end, or cancel it`,
  ],
  replayNotFound: [404, (id: string) => `Replay ${id} not found`],
  replayEnded: [409, (id: string, state: string) => `Replay ${id} has ended already: it is ${state}`],
} as const satisfies Record<string, readonly [number, (...args: never[]) => string]>

type Errors = typeof ERRORS

/** `throw restError('connectorNotFound', name)` */
export function restError<C extends keyof Errors>(code: C, ...args: Parameters<Errors[C][1]>): RestError {
  const [status, text] = ERRORS[code]
  return new RestError(status, (text as (...args: unknown[]) => string)(...args))
}

/** Formats a plugin like Connect's PluginDesc, because clients search for that form of the text. */
function describePlugin(plugin: PluginEntry): string {
  return `PluginDesc{name='${plugin.class}', version='${plugin.version}', type=${plugin.type}}`
}
