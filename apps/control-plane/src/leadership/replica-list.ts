import type { KafkaAdmin } from '@tributary/kafka'
import type { Logger } from '@tributary/telemetry'
import type { Replica } from './elect.ts'

const DESCRIBE_TIMEOUT_MS = 2000

const CLIENT_ID = 'control-plane@'

/**
 * The client id that a replica joins its group with, in which others find its address: a broker tells client ids at any time,
 * but what members joined with only between elections.
 */
export function clientIdOf(rest: string): string {
  return `${CLIENT_ID}${rest}`
}

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
      const signal = AbortSignal.timeout(DESCRIBE_TIMEOUT_MS)
      const { members } = await this.#groups.describeGroup(this.#groupId, { settleMs: 0, signal })
      this.#last = members.map(({ memberId, clientId }) => ({ id: memberId, rest: clientId.slice(CLIENT_ID.length) }))
    } catch (error) {
      this.#log.warn('replicas_unknown', { error })
    }
    return this.#last
  }
}
