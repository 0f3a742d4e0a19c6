import { createHash } from 'node:crypto'
import type { Clock } from '@tributary/connect-api'
import type { ConfigSnapshot, ConfigStore } from '@tributary/connect-storage'
import { decodePayload, encodePayload, type RoundMember } from '@tributary/kafka'
import { grpcSource } from '../../../apps/grpc-ingest/src/plugin.ts'
import type { MemberAssignment, MemberMetadata } from '../../../libs/connect-runtime/src/assignment/group.ts'
import { Leader } from '../../../libs/connect-runtime/src/assignment/leader.ts'
import { quantile } from '../support/table.ts'

/** What one round of the group costs: the leader's time, and the bytes that go over Kafka. */
export interface RoundFigures {
  readonly event: string
  readonly members: number
  /** Connectors and tasks that the round gave to a member that did not have them before. */
  readonly placed: number
  /** Time of the leader, in ms, from the members' bytes to the assignments' bytes; median. */
  readonly leaderMs: number
  /** Bytes of all members' metadata, of all assignments, and of the largest assignment. */
  readonly metadataBytes: number
  readonly assignmentBytes: number
  readonly largestBytes: number
}

const REPEATS = 5

/**
 * Measures the real leader and the real payloads, without a broker: `connectors` with `tasksEach` over `memberCount`
 * members.
 */
export async function simulateRounds(
  connectors: number,
  tasksEach: number,
  memberCount: number,
): Promise<RoundFigures[]> {
  const snapshot = snapshotOf(connectors, tasksEach)
  const members = new Map(Array.from({ length: memberCount }, (_, i) => [memberId(i), new Set<string>()]))
  const figures: RoundFigures[] = []
  const round = async (event: string): Promise<void> => {
    figures.push(await oneRound(event, snapshot, members))
  }
  await round('the first round')
  await round('nothing changed')
  members.delete(memberId(7))
  await round('a member died')
  members.set(memberId(memberCount), new Set())
  await round('a member came: the others give up')
  await round('a member came: it gets them')
  return figures
}

/** Computes one round, and changes what the members own as if each had started and stopped what its assignment says. */
async function oneRound(
  event: string,
  snapshot: ConfigSnapshot,
  members: Map<string, Set<string>>,
): Promise<RoundFigures> {
  const metadata = Array.from(members, ([id, own]) => ({ id, bytes: encodePayload(metadataOf(id, own)) }))
  const times: number[] = []
  let answer = new Map<string, Buffer>()
  for (let i = 0; i < REPEATS; i++) {
    const leader = createLeader(snapshot)
    const startedAt = performance.now()
    const joined = metadata.map(({ id, bytes }): RoundMember<MemberMetadata> => ({
      memberId: id,
      leaving: false,
      metadata: decodePayload(bytes) as MemberMetadata,
    }))
    const assignments = await leader.assign(joined)
    answer = new Map(Array.from(assignments, ([id, assignment]) => [id, encodePayload(assignment)]))
    times.push(performance.now() - startedAt)
    leader.close()
  }
  let placed = 0
  for (const [id, bytes] of answer) {
    const { run } = decodePayload(bytes) as MemberAssignment
    placed += run.filter((unit) => !members.get(id)!.has(unit)).length
    members.set(id, new Set(run))
  }
  const sizes = Array.from(answer.values(), (bytes) => bytes.length)
  return {
    event,
    members: members.size,
    placed,
    leaderMs: quantile(
      times.sort((a, b) => a - b),
      0.5,
    ),
    metadataBytes: metadata.reduce((sum, { bytes }) => sum + bytes.length, 0),
    assignmentBytes: sizes.reduce((sum, size) => sum + size, 0),
    largestBytes: Math.max(...sizes),
  }
}

function createLeader(snapshot: ConfigSnapshot): Leader {
  // No member is ahead of the snapshot, so the leader reads only the snapshot.
  const config = { snapshot } as ConfigStore
  // Units are revoked at once, as between versions that cannot overlap: rounds are as large, and there are fewer of
  // them.
  const overlaps = { allowed: () => false, learn: () => Promise.resolve() }
  return new Leader({ config, plugins: [grpcSource], overlaps, clock: stillClock, settleMs: 0, rejoin: () => {} })
}

const stillClock: Clock = { now: () => 0, monotonic: () => 0, sleep: () => Promise.resolve() }

function memberId(i: number): string {
  return `grpc-ingest@10.0.3.${i}:9400-5f1c7a52-8c1b-4f0e-9a55-${String(i).padStart(12, '0')}`
}

function metadataOf(
  id: string,
  own: ReadonlySet<string>,
): MemberMetadata & { v: number; seq: number; leaving: boolean } {
  const worker = /@(.+?)-/.exec(id)![1]!
  const units = Array.from(own, (unit) => [unit, 1842, 0] as const)
  return { v: 1, seq: 17, leaving: false, worker, cfg: '120934', own: units }
}

function snapshotOf(connectors: number, tasksEach: number): ConfigSnapshot {
  // Each name has 32 bits that do not compress.
  const names = Array.from({ length: connectors }, (_, i) => {
    return `orders-of-region-${createHash('md5').update(String(i)).digest('hex').slice(0, 8)}`
  })
  const config = { 'connector.class': grpcSource.class }
  const tasks = Array.from({ length: tasksEach }, () => config)
  return {
    appliedOffset: 120_934n,
    connectors: () => names,
    config: () => config,
    targetState: () => 'STARTED',
    tasks: () => tasks,
    taskNumbers: () => new Set(tasks.keys()),
    tasksOutdated: () => false,
  }
}
