import { RESTART_PREFIX, readConfigRecord, connectorRecord, connectorTombstones, loggerLevelRecord, restartRecord, targetStateRecord, taskRecords } from './config-records.ts' // prettier-ignore
import { ConfigState } from './config-state.ts'
import { Listeners } from '../log/listeners.ts'
import { LIMITS } from '../schema/limits.ts'
import { StoreLog, type StoreLogOptions } from '../log/store-log.ts'
import type { Beside } from '../types.ts'
import type {
  ConfigListener,
  ConfigSnapshot,
  ConfigStore,
  ConnectorConfig,
  RestartRequest,
  TargetState,
} from '../types.ts'

/** The store of the config topic. The topic has one partition, so that all readers apply records in the same order. */
export class KafkaConfigStore implements ConfigStore {
  readonly #state = new ConfigState()
  readonly #listeners: Listeners<ConfigListener>
  readonly #log: StoreLog

  constructor(options: Omit<StoreLogOptions, 'onRecord'>) {
    this.#listeners = new Listeners(options.log)
    this.#log = new StoreLog({
      ...options,
      onePartition: true,
      parse: readConfigRecord,
      isTransient: (key) => key.startsWith(RESTART_PREFIX),
      onRecord: (record, key, live) => {
        const change = this.#state.apply(readConfigRecord(key, record.value), record.offset)
        if (live && change) this.#listeners.notify(change)
      },
    })
  }

  get snapshot(): ConfigSnapshot {
    return this.#state
  }

  /** The name of the topic; known after `start`. */
  get topic(): string {
    return this.#log.topicName
  }

  /** See StoreLog. */
  get trouble(): string | null {
    return this.#log.trouble
  }

  start(signal: AbortSignal): Promise<void> {
    return this.#log.start(signal)
  }

  listen(listener: ConfigListener): () => void {
    return this.#listeners.add(listener)
  }

  refresh(signal?: AbortSignal): Promise<void> {
    return this.#log.refresh(signal)
  }

  /**
   * Only with a `transactionalId`: becomes the one writer, fences its predecessor, and reads to the end of what the
   * predecessor wrote.
   */
  claim(signal: AbortSignal): Promise<void> {
    return this.#log.claim(signal)
  }

  putConnectorConfig(
    connector: string,
    config: ConnectorConfig,
    targetState?: TargetState,
    beside?: Beside,
  ): Promise<void> {
    const kept = this.#state.keptFields(connector)
    const records = [connectorRecord(connector, config, kept.config)]
    // The target state is written first, so that a connector created as paused is never seen STARTED (KIP-980).
    if (targetState) records.unshift(targetStateRecord(connector, targetState, kept.targetState))
    return this.#log.append(records, undefined, beside)
  }

  removeConnector(connector: string, beside?: Beside): Promise<void> {
    return this.#log.append(connectorTombstones(connector, this.#state.taskNumbers(connector)), undefined, beside)
  }

  writeBeside(beside: Beside): Promise<void> {
    return this.#log.append([], undefined, beside)
  }

  putTargetState(connector: string, state: TargetState): Promise<void> {
    return this.#log.append([targetStateRecord(connector, state, this.#state.keptFields(connector).targetState)])
  }

  /**
   * Writes a set of task configs, stamped with a generation. The stamp is the group's generation, or one more than the
   * highest stamp when the group has started to count anew (Kafka forgets an empty group after some minutes). So a
   * write that a predecessor makes after its successor's write has a lower stamp, and readers ignore it.
   */
  async putTaskConfigs(connector: string, tasks: readonly ConnectorConfig[], generation: number): Promise<void> {
    await this.#log.refresh()
    const seen = this.#state.generation(connector)
    const next = generation < seen ? Math.min(seen + 1, LIMITS.generation) : generation
    await this.#log.append(taskRecords(connector, tasks, next))
  }

  putRestart(request: RestartRequest): Promise<void> {
    return this.#log.append([restartRecord(request)])
  }

  putLoggerLevel(logger: string, level: string): Promise<void> {
    return this.#log.append([loggerLevelRecord(logger, level)])
  }

  stop(): Promise<void> {
    return this.#log.stop()
  }
}
