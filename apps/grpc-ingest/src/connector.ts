import {
  type ConfigError,
  type FieldError,
  type OffsetEntry,
  parseConfig,
  type Props,
  type SourceConnector,
} from '@tributary/connect-api'
import { checkOffsets } from '@tributary/push-source'
import { sourcePartitionOf } from './config/settings.ts'
import { grpcSpec } from './config/spec.ts'
import { validateGrpc } from './validate.ts'
import { grpcErrors } from './errors.ts'

/** One stream is one task. A stream cannot be split, so `tasks.max` above 1 changes nothing. */
export class GrpcSourceConnector implements SourceConnector {
  readonly spec = grpcSpec.data

  taskConfigs(props: Props, maxTasks: number): Props[] {
    return maxTasks < 1 ? [] : [{ ...props }]
  }

  validate(props: Props, signal: AbortSignal): Promise<FieldError[]> {
    return validateGrpc(props, signal)
  }

  /** Exactly once needs a server that can be asked to continue after a value. */
  exactlyOnce(props: Props): boolean {
    const config = parseConfig(grpcSpec, props)
    return config['grpc.resume.field'] !== null && config['grpc.resume.request.field'] !== null
  }

  checkOffsets(props: Props, offsets: readonly OffsetEntry[], written = props): void {
    const config = parseConfig(grpcSpec, props)
    checkOffsets(
      offsets,
      sourcePartitionOf(config, written),
      { session_id: 'string', completed: 'string', digests: 'string' },
      invalid,
    )
    for (const { offset } of offsets) {
      if (offset === null) continue
      const { sequence, resume } = offset
      if (sequence !== undefined && sequence !== null && !isCount(sequence)) {
        throw invalid('sequence must be a whole number from 0')
      }
      if (resume === undefined || resume === null) continue
      if (config['grpc.resume.field'] === null) throw invalid('resume needs grpc.resume.field in the configuration')
      if (typeof resume !== 'string' && !isWhole(resume)) throw invalid('resume must be a whole number or a string')
    }
  }
}

function isWhole(value: unknown): boolean {
  return typeof value === 'bigint' || Number.isSafeInteger(value)
}

function isCount(value: unknown): boolean {
  return isWhole(value) && Number(value) >= 0 && Number(value) <= Number.MAX_SAFE_INTEGER
}

function invalid(reason: string): ConfigError {
  return grpcErrors.GRPC_OFFSET(`Invalid offset for a gRPC source: ${reason}`)
}
