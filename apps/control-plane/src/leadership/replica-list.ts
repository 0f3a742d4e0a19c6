import type { KafkaAdmin } from '@tributary/kafka'
import type { Logger } from '@tributary/telemetry'
import type { Replica, ReplicaMetadata } from './elect.ts'

const DESCRIBE_TIMEOUT_MS = 2000

/** The replicas that live, as their Kafka group knows them; as it last did while Kafka is away. */
export class ReplicaList {
  readonly #groups: Pick<KafkaAdmin, 'describeGroup'>
  readonly #groupId: string
  readonly #log: Logger
  #last: readonly Replica[] = []

  constructor(groups: Pick<KafkaAdmin, 'describeGroup'>, groupId: string, log: Logger) {
    this.#groups = groups
    this.#groupId = groupId
    this.#log = log
  }

  async read(): Promise<readonly Replica[]> {
    try {
      const { members } = await this.#groups.describeGroup(this.#groupId, {
        signal: AbortSignal.timeout(DESCRIBE_TIMEOUT_MS),
      })
      this.#last = members.flatMap(({ memberId: id, metadata }) => {
        const rest = (metadata as Partial<ReplicaMetadata> | null)?.rest
        return typeof rest === 'string' ? [{ id, rest }] : []
      })
    } catch (error) {
      this.#log.warn('replicas_unknown', { error })
    }
    return this.#last
  }
}
