import { randomUUID } from 'node:crypto'
import { parseConfig, requiresExactlyOnce, type TaskContext } from '@tributary/connect-api'
import { RateLimitedLog, RenewedTls, restoredSequence, TaskMetricsLog } from '@tributary/push-source'
import type { Logger } from '@tributary/telemetry'
import { accessTokenOf } from './access-token.ts'
import { openConnection, type OpenConnection } from './connection.ts'
import { RecordBuilder } from '../records/record-builder.ts'
import { committedPosition, type OnDoubt, Resume } from '../records/resume.ts'
import {
  addressesOf,
  metadataOf,
  methodOf,
  offsetOf,
  readGrpcTls,
  readTokenTls,
  serverOf,
  sourcePartitionOf,
  unusedProxies,
} from '../config/settings.ts'
import { type GrpcConfig, grpcSpec } from '../config/spec.ts'
import { Completion } from './completion.ts'
import { StatusErrors } from './status-errors.ts'
import { StreamIntake } from './stream-intake.ts'
import { planStream, type StreamPlan } from './stream-plan.ts'
import { StreamReader } from './stream-reader.ts'

/**
 * Creates the parts of a task from its settings and the files that they name. Does not use the network. Throws
 * ConfigError. Unit tests pass another `open`.
 */
export async function createStreamReader(
  context: TaskContext,
  open: OpenConnection = openConnection,
): Promise<StreamReader> {
  const config = parseConfig(grpcSpec, context.config)
  const metadata = metadataOf(config, context.config)
  addressesOf(config)
  const runId = randomUUID()
  const log = context.log.child(
    {
      connector_name: context.connector,
      grpc_server: serverOf(config),
      grpc_method: methodOf(config),
      kafka_topic: config['kafka.topic'],
      session_id: runId,
    },
    'io.tributary.connect.grpc',
  )
  log.info('task_starting')
  log.info('session_initialized')
  for (const reason of unusedProxies(config)) log.warn('proxy_ignored', { reason })
  const tls = new RenewedTls(() => readGrpcTls(config), log)
  const tokenTls = new RenewedTls(() => readTokenTls(config), log)
  await Promise.all([tls.options(), tokenTls.options()])
  const plan = config['grpc.proto.descriptor']?.trim() ? await planFromDescriptor(config, log) : null

  const { stats, memory, clock } = context
  const sourcePartition = sourcePartitionOf(config, context.written)
  const offset = offsetOf(context, config, context.written)
  const lastSequence = restoredSequence(offset, runId, log)
  const busyLog = new RateLimitedLog(log, clock)
  const resume =
    config['grpc.resume.field'] === null
      ? null
      : new Resume({
          committed: committedPosition(offset),
          monotonic: config['grpc.resume.monotonic'],
          contiguous: config['grpc.resume.contiguous'],
          onDoubt: (config['sequence.reset'] ?? (requiresExactlyOnce(context.config) ? 'fail' : 'deliver')) as OnDoubt,
          stats,
          log: busyLog,
        })
  const builder = new RecordBuilder({ topic: config['kafka.topic'], sourcePartition, runId, lastSequence, resume })
  const accessToken = accessTokenOf(config, () => tokenTls.options(), log)
  const healthyMs = config['grpc.reconnect.healthy.ms']
  const denied = (): void => accessToken?.forget()
  const foreign = (body: string): void => log.debug('grpc_answer_foreign', { body })
  const statusErrors = new StatusErrors(`${serverOf(config)} ${methodOf(config)}`, healthyMs, denied, foreign)
  // A message that the resume field shows to be out of place may fail the task, which `read` does behind the messages before it.
  const offer = resume === null && context.offer ? () => reader.offer() : undefined
  const intake = new StreamIntake({ config, statusErrors, stats, memory, clock, log, busyLog, offer })
  log.info('grpc_client_starting', {
    host: config['grpc.server.host'],
    port: config['grpc.server.port'],
    service: config['grpc.service.name'],
    method: config['grpc.method.name'],
    queue_capacity: stats.queueCapacity,
    tls_enabled: config['grpc.tls.enabled'],
  })
  log.info('task_started', { starting_sequence: lastSequence, queue_capacity: stats.queueCapacity })
  const parts = {
    context,
    config,
    metadata,
    accessToken,
    tls,
    open,
    log,
    runId,
    statusErrors,
    resume,
    builder,
    intake,
    completion: new Completion(config, offset),
    metrics: new TaskMetricsLog(log, clock, stats, runId),
  }
  const reader: StreamReader = new StreamReader(parts, plan)
  return reader
}

async function planFromDescriptor(config: GrpcConfig, log: Logger): Promise<StreamPlan> {
  try {
    const plan = await planStream(config, () => Promise.reject(new Error('no reflection beside a descriptor')))
    log.info('proto_descriptor_loaded', { source: 'descriptor' })
    return plan
  } catch (error) {
    log.error('proto_descriptor_load_failed', { error })
    throw error
  }
}
