import { defineConfig } from '@tributary/config'
import {
  ConfigError,
  type OffsetEntry,
  type Props,
  type SourcePlugin,
  type SourceRecord,
  type SourceTask,
  type TaskContext,
} from '@tributary/connect-api'
import { open } from 'node:fs/promises'

const spec = defineConfig({
  file: {
    type: 'string',
    default: null,
    importance: 'high',
    doc: 'Source filename. If not specified, the standard input will be used',
  },
  topic: {
    type: 'string',
    validator: { kind: 'pattern', regex: '\\S', message: 'String must be non-empty' },
    importance: 'high',
    doc: 'The topic to publish data to',
  },
  'batch.size': {
    type: 'int',
    default: 2000,
    importance: 'low',
    doc: 'The maximum number of records the source task can read from the file each time it is polled',
  },
})

/**
 * Kafka's file source on this runtime: the same class name, settings, tasks and offsets, so that answers can be
 * compared.
 */
export const fileSource: SourcePlugin = {
  class: 'org.apache.kafka.connect.file.FileStreamSourceConnector',
  aliases: [],
  version: '3.9.1',
  taskClass: 'org.apache.kafka.connect.file.FileStreamSourceTask',
  connector: {
    spec: spec.data,
    taskConfigs: (config) => [config],
    exactlyOnce: (config) => Boolean(config['file']),
    checkOffsets,
    offsetsOnlyInKafka: true,
  },
  createTask: () => new FileSourceTask(),
}

/** The checks of Kafka's file source, with its texts and in its order. A null removes the offset. */
function checkOffsets(_config: Props, entries: readonly OffsetEntry[]): void {
  const refuse = (message: string): never => {
    throw new ConfigError('CONFIG_INVALID', message)
  }
  for (const { partition, offset } of entries) {
    if (offset === null) continue
    const position = offset['position']
    if (position === undefined) refuse("Offset objects should either be null or contain the key 'position'")
    if (typeof position !== 'bigint' && !Number.isInteger(position)) {
      refuse("The value for the 'position' key in the offset is expected to be a Long value")
    }
    if (Number(position) < 0) refuse("The value for the 'position' key in the offset should be a non-negative value")
    if (partition === null) refuse('Partition objects cannot be null')
    if (partition['filename'] === undefined) refuse("Partition objects should contain the key 'filename'")
  }
}

/** No line of a test is as long: one that Kafka refuses has 2 MiB. */
const READ_BYTES = 4 * 1024 * 1024

class FileSourceTask implements SourceTask {
  #file = ''
  #topic = ''
  #position = 0
  #context: TaskContext | null = null

  start(context: TaskContext): Promise<void> {
    this.#context = context
    this.#file = context.config['file'] ?? ''
    this.#topic = context.config['topic'] ?? ''
    this.#position = Number(context.offset(this.#partition())?.['position'] ?? 0)
    return Promise.resolve()
  }

  connect(): Promise<void> {
    return Promise.resolve()
  }

  async poll(signal: AbortSignal): Promise<SourceRecord[]> {
    const lines = await this.#read()
    if (lines.length === 0) await this.#context!.clock.sleep(100, signal)
    const sourcePartition = this.#partition()
    return lines.map((line) => {
      this.#position += Buffer.byteLength(line) + 1
      const sourceOffset = { position: this.#position }
      return { sourcePartition, sourceOffset, topic: this.#topic, key: null, value: line, timestamp: Date.now() }
    })
  }

  stop(): Promise<void> {
    return Promise.resolve()
  }

  #partition(): { filename: string } {
    return { filename: this.#file }
  }

  /** Complete lines after the position. */
  async #read(): Promise<string[]> {
    await using file = await open(this.#file)
    const { size } = await file.stat()
    const length = Math.min(size - this.#position, READ_BYTES)
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, this.#position)
    return buffer.toString().split('\n').slice(0, -1)
  }
}
