import type { TaskContext } from '@tributary/connect-api'
import { Intake, type OverflowPolicy, type Pausable, type RateLimitedLog } from '@tributary/push-source'
import type { Logger } from '@tributary/telemetry'
import { FrameCodec } from './frame-codec.ts'
import type { Frame } from './frame.ts'
import type { DecodeMessage } from './record/decode-message.ts'
import type { WebSocketConfig } from './spec.ts'

export interface IntakeParts {
  readonly config: WebSocketConfig
  readonly context: Pick<TaskContext, 'stats' | 'clock' | 'dataDir'>
  readonly decode: DecodeMessage
  readonly log: Logger
  readonly busyLog: RateLimitedLog
  /** The present connection; null between two. */
  readonly transport: () => Pausable | null
}

/** The queue between a feed and its records, and beside it, where that is wanted, the disk. */
export function createIntake(parts: IntakeParts): Intake<Frame> {
  const { config, context, busyLog, transport } = parts
  return new Intake({
    maxRecords: config['websocket.message.queue.size'],
    maxBytes: config['queue.max.bytes'],
    overflow: overflowOf(parts),
    transport,
    stats: context.stats,
    clock: context.clock,
    busyLog,
  })
}

function overflowOf({ config, context, decode, log }: IntakeParts): OverflowPolicy<Frame> {
  const policy = config['overflow.policy']
  if (policy === 'spill') {
    const maxBytes = config['spill.max.bytes']
    return { dir: context.dataDir, maxBytes, codec: new FrameCodec(decode), log }
  }
  return policy === 'drop' ? 'drop' : 'pause'
}
