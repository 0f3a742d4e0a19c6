export { preview } from './preview.ts'
export { checkOffsets, type OffsetField } from './check-offsets.ts'
export {
  deniedServer,
  dial,
  type DialOptions,
  type Endpoint,
  endpointOf,
  type ProxyOptions,
  type TlsOptions,
} from './dial/dial.ts'
export { AnswerTooLarge, exchange, type ExchangeRequest, type ExchangeResponse } from './dial/exchange.ts'
export { HandshakeRefused } from './dial/handshake-refused.ts'
export { proxyFor, unusableProxy } from './dial/proxy-environment.ts'
export { pushSourceErrors } from './errors.ts'
export { HTTP_SOURCE_HEADERS, HttpSource, type HttpSourceOptions } from './http-source.ts'
export { type HttpStream, type HttpStreamRequest, openHttpStream } from './http-stream.ts'
export { inflateMessage, type InflateSync } from './inflate.ts'
export { Intake, type IntakeConnection, type IntakeOptions, type OverflowPolicy, type Pausable } from './intake.ts'
export type { Codec, SpillOptions } from './spill/spill-parts.ts'
export { SpilledMessages, type SpilledMessagesParts } from './spill/spilled-messages.ts'
export { RateLimitedLog } from './rate-limited-log.ts'
export { reasonOf } from './reason-of.ts'
export { restoredSequence } from './restored-sequence.ts'
export {
  contentDigest,
  countBetween,
  DigestBudget,
  type Judgement,
  plus,
  RecentIds,
  type Reset,
  type SequenceNumber,
  sequenceNumber,
  type SequenceRange,
  SequenceTracker,
  type SequenceTrackerOptions,
  type Skipped,
  spanOf,
} from './sequence/index.ts'
export { TaskMetricsLog } from './task-metrics-log.ts'
export { type PushConnection, type PushSink, type PushSource, pushTask, type PushTaskOptions } from './push-task.ts'
export { readerTask, type SourceReader } from './reader-task.ts'
export { Redirects } from './redirects.ts'
export { type ConnectionLife, Refusals } from './refusals.ts'
export { flowSettings, spillingFlowSettings } from './settings/flow.ts'
export { retryAfterMs } from './retry-after.ts'
export { TIMESTAMP_TEXTS, timestampUnitKey, topicKey } from './settings/record.ts'
export { parseTime, type Time } from './time/parse-time.ts'
export { noTimeText, recordTime, type TimestampUnit } from './time/record-time.ts'
export { reconnectSettings } from './settings/reconnect.ts'
export { requestSettings } from './settings/request.ts'
export {
  checkTls,
  isUntrusted,
  readTls,
  RenewedTls,
  type TlsSetting,
  type TlsSettings,
  tlsSettings,
  withoutClientCertificate,
} from './settings/tls.ts'
