import { systemClock } from '@tributary/async'
import type { ConfigError, FieldError, OffsetEntry, Props, SourceConnector } from '@tributary/connect-api'
import { registryError } from '@tributary/converters/body'
import { openAws } from './aws/clients.ts'
import { sqsErrors } from './errors.ts'
import { isFifo, queueEntry, queueTexts } from './queues/queue-name.ts'
import { taskConfigs } from './queues/task-share.ts'
import { readSettings } from './settings/read.ts'
import { sqsSpec } from './settings/spec.ts'
import { connectionErrors } from './validate/connection-errors.ts'
import { settingsErrors } from './validate/settings-errors.ts'

/** Shares the queues out over tasks. The queues themselves keep what was not read, so offsets only remember what Kafka has. */
export class SqsSourceConnector implements SourceConnector {
  readonly spec = sqsSpec.data

  taskConfigs(props: Props, maxTasks: number): Props[] {
    return taskConfigs(props, maxTasks)
  }

  async validate(props: Props, signal: AbortSignal): Promise<FieldError[]> {
    const config = readSettings(props)
    const errors = settingsErrors(config, props)
    if (errors.length > 0) return errors
    const registry = await registryError(props)
    const found = await connectionErrors(config, { open: openAws, clock: systemClock }, signal)
    return registry === null ? found : [{ field: registry.field!, message: registry.message }, ...found]
  }

  /** Needs the deduplication ids of FIFO queues: a standard queue may deliver a message again at any time. */
  exactlyOnce(props: Props): boolean {
    const config = readSettings(props)
    const texts = queueTexts(config['sqs.queue.urls'], config['sqs.queue.url'])
    const all =
      config['sqs.queue.name.prefix'] === null && texts.every((text) => isFifo(queueEntry(text)?.name ?? '', config))
    return all && config['sqs.fifo.deduplication.enabled'] && config['sqs.delete.messages']
  }

  checkOffsets(_props: Props, offsets: readonly OffsetEntry[]): void {
    for (const { partition } of offsets) {
      if (typeof partition['queue_url'] !== 'string') throw invalid('a source partition has the field queue_url')
    }
  }
}

function invalid(reason: string): ConfigError {
  return sqsErrors.SQS_OFFSET(`Invalid offset for an SQS source: ${reason}`)
}
