import assert from 'node:assert/strict'
import { ConnectorViews } from '../../apps/control-plane/src/services/connector-views.ts'
import { misspeltKeys } from '../../apps/control-plane/src/services/misspelt-keys.ts'
import { describeConfig, validateConfig } from '../../libs/config/src/index.ts'
import { assignUnits } from '../../libs/connect-runtime/src/assignment/assignor.ts'
import { isMemberAssignment, isMemberMetadata } from '../../libs/connect-runtime/src/assignment/group-schema.ts'
import { parseUnit, unitOf } from '../../libs/connect-runtime/src/assignment/group.ts'
import { unitsOf } from '../../libs/connect-runtime/src/assignment/units.ts'
import { AccessState } from '../../libs/connect-storage/src/access/access-state.ts'
import { connectorTombstones, readConfigRecord } from '../../libs/connect-storage/src/configs/config-records.ts'
import { ConfigState } from '../../libs/connect-storage/src/configs/config-state.ts'
import { versionRecord } from '../../libs/connect-storage/src/history/history-records.ts'
import { HistoryState } from '../../libs/connect-storage/src/history/history-state.ts'
import { OffsetState } from '../../libs/connect-storage/src/offsets/offset-state.ts'
import { replayView } from '../../apps/control-plane/src/dead-letters/replay-view.ts'
import { readDeadLetterRecord } from '../../libs/connect-storage/src/dead-letters/dead-letter-records.ts'
import { DeadLetterState } from '../../libs/connect-storage/src/dead-letters/dead-letter-state.ts'
import { letterSet, lettersOf, sizeOf } from '../../libs/connect-storage/src/dead-letters/letter-set.ts'
import { auditRecord, readAuditRecord } from '../../libs/connect-storage/src/audit/audit-records.ts'
import { catalogOf } from '../../libs/connect-storage/src/plugins/plugin-catalog.ts'
import { readPluginRecord } from '../../libs/connect-storage/src/plugins/plugin-records.ts'
import { refusalOf } from '../../libs/connect-storage/src/schema/checks.ts'
import { LIMITS } from '../../libs/connect-storage/src/schema/limits.ts'
import { readStatusRecord } from '../../libs/connect-storage/src/status/status-records.ts'
import { StatusState } from '../../libs/connect-storage/src/status/status-state.ts'
import type { ConfigStore, PluginEntry, PluginStore, StatusStore } from '../../libs/connect-storage/src/types.ts'
import { committedRecords } from '../../libs/kafka/src/log/committed-records.ts'
import { readRecordBatches } from '../../libs/kafka/src/client/records.ts'
import { encodePayload, readPayload } from '../../libs/kafka/src/group/group-payload.ts'
import {
  fuzzTargets,
  mutateBytes,
  mutateJson,
  mutateText,
  type Progress,
  type Random,
  type Report,
  type Stage,
  type Target,
} from './driver.ts'
import {
  apiKeys,
  audit,
  batches,
  configs,
  deadLetters,
  members,
  offsets,
  plugins,
  type RawRecord,
  statuses,
  versions,
} from './internal-topics.corpus.ts'

/** Records of one input of a topic's target. */
export const RECORDS_PER_INPUT = 4

interface Bytes {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** What a topic's records add up to. */
interface Reading {
  /** Applies a record. Throws an Error for one that is skipped. */
  apply(key: string, value: Uint8Array | null): void
  /** Does with the state what services do. */
  use(): void
}

const text = (random: Random, value: string): string => (random.chance(0.4) ? mutateText(random, value) : value)

function mutatePart(random: Random, value: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined) return mutateJson(random, value)
  const object = value as Readonly<Record<string, unknown>>
  return { ...object, [name]: mutatePart(random, object[name], rest) }
}

function mutated(random: Random, corpus: readonly RawRecord[]): Bytes {
  const { key, value, part = [] } = random.pick(corpus)
  const json = JSON.stringify(random.chance(0.6) ? mutatePart(random, value, part) : value) ?? 'null'
  const bytes = Buffer.from(random.chance(0.1) ? mutateText(random, json) : json)
  return {
    key: random.chance(0.05) ? Buffer.from(mutateBytes(random, new Uint8Array(Buffer.from(key)))) : Buffer.from(text(random, key)), // prettier-ignore
    value: random.chance(0.1) ? null : random.chance(0.05) ? Buffer.from(mutateBytes(random, new Uint8Array(bytes))) : bytes, // prettier-ignore
  }
}

/** Records are read, or skipped with an Error that has no stack of the runtime's own mistakes, and are then used. */
function topicTarget(name: string, corpus: readonly RawRecord[], reading: () => Reading): Target<readonly Bytes[]> {
  return {
    name,
    generate: (random) => Array.from({ length: RECORDS_PER_INPUT }, () => mutated(random, corpus)),
    run(records) {
      const topic = reading()
      let stage: Stage = 'refused'
      for (const { key, value } of records) {
        if (refusalOf(key, value) !== null) continue
        try {
          topic.apply(key.toString(), value)
          stage = 'past'
        } catch (error) {
          // A record is skipped with a plain Error. A TypeError or a RangeError is a mistake of the reader.
          if ((error as object).constructor !== Error) throw error
          assert.ok((error as Error).message.length < 500, 'the reason of a skipped record is long')
        }
      }
      topic.use()
      return stage
    },
    show: (records) => records.map(({ key, value }) => `${key.toString()} ${value?.toString() ?? 'null'}`).join('\n'),
  }
}

const PLUGIN = { class: 'io.x.Source', aliases: [], taskClass: 'io.x.Task' } as never
const noStatus = { connector: () => null, task: () => null, tasks: () => new Map(), topics: () => [] }
const noPlugins = { plugins: () => [], find: () => null } as unknown as PluginStore

/** Connector and task configurations. `read` may be planted. */
export function configsTarget(read: typeof readConfigRecord = readConfigRecord): Target<readonly Bytes[]> {
  return topicTarget('configs', configs, () => {
    const state = new ConfigState()
    return {
      apply(key, value) {
        const change = state.apply(read(key, value), state.appliedOffset + 1n)
        change?.({ tasksUpdated: (connector) => void state.tasks(connector), restartRequested: JSON.stringify })
      },
      use() {
        const units = unitsOf(state, [PLUGIN])
        const store = {
          config: { snapshot: state } as unknown as ConfigStore,
          status: noStatus as unknown as StatusStore,
        }
        const views = new ConnectorViews({ ...store, plugins: noPlugins })
        for (const connector of views.names()) {
          assert.ok(connector !== '' && connector.length <= LIMITS.nameChars)
          assert.ok(JSON.stringify([views.info(connector), views.tasks(connector)]))
          assert.ok(state.tasks(connector).length <= LIMITS.tasks)
          assert.deepEqual(parseUnit(unitOf.task(connector, 3)), { connector, task: 3 })
        }
        assert.ok(units.tasks.length <= LIMITS.tasks * units.connectors.length)
        for (const connector of state.names()) {
          for (const { key } of connectorTombstones(connector, state.taskNumbers(connector))) {
            state.apply(readConfigRecord(String(key), null), state.appliedOffset + 1n)
          }
        }
        assert.equal(state.remembered, 0, 'a removed connector is remembered')
      },
    }
  })
}

const statusesTarget = topicTarget('status', statuses, () => {
  const state = new StatusState()
  const keys = new Set<string>()
  return {
    apply(key, value) {
      state.apply(readStatusRecord(key, value), true)
      keys.add(key)
    },
    use() {
      const config = { snapshot: new ConfigState() } as unknown as ConfigStore
      const status = {
        connector: (name: string) => state.connector(name)?.status ?? null,
        tasks: (name: string) => state.tasks(name),
      } as unknown as StatusStore
      const views = new ConnectorViews({ config, status, plugins: noPlugins })
      for (const connector of state.connectors()) {
        const { connector: shown, tasks } = views.status(connector)
        // Requests go to the address.
        for (const { worker_id: worker } of [shown, ...tasks])
          assert.equal(new URL(`http://${worker}/p`).pathname, '/p')
      }
      for (const key of keys) state.apply(readStatusRecord(key, null), true)
      assert.deepEqual(state.connectors(), [])
    },
  }
})

const offsetsTarget = topicTarget('offsets', offsets, () => {
  const state = new OffsetState()
  const keys = new Set<string>()
  const connectors = ['c', 'orders', '']
  return {
    apply(key, value) {
      state.apply({ value, timestamp: keys.size, offset: BigInt(keys.size) }, key)
      keys.add(key)
    },
    use() {
      for (const connector of connectors) {
        for (const { partition, offset } of state.offsets(connector)) {
          assert.deepEqual(state.offset(connector, partition), offset)
          assert.ok(state.keys(connector, partition).every((key) => keys.has(key)))
        }
      }
      for (const key of keys) state.apply({ value: null, timestamp: 9, offset: 9n }, key)
      assert.deepEqual(
        connectors.flatMap((connector) => state.offsets(connector)),
        [],
      )
    },
  }
})

const apiKeysTarget = topicTarget('access', apiKeys, () => {
  const state = new AccessState()
  return {
    apply: (key, value) => state.apply(key, value),
    use() {
      for (const key of state.keys()) {
        assert.equal(state.keyOfId(key.id), key)
        assert.match(key.hash, /^[0-9a-f]{64}$/)
        for (const end of [key.expires, key.revoked]) assert.ok(end === null || Number.isSafeInteger(end))
      }
    },
  }
})

const deadLettersTarget = topicTarget('dead-letters', deadLetters, () => {
  const state = new DeadLetterState()
  return {
    apply: (key, value) => void state.apply(readDeadLetterRecord(key, value)),
    use() {
      for (const { letters } of state.events()) {
        assert.equal(sizeOf(letterSet(lettersOf(letters))) <= sizeOf(letters), true)
      }
      for (const replay of state.replays()) replayView(replay, state.results(replay.id))
      state.chunks('r')
    },
  }
})

const SENT = { 'connector.class': 'x', host: 'h', port: '1', mode: 'a', 'header.x': 'y', 'x.a.b': null, list: 'a,b' }

const pluginsTarget = topicTarget('plugins', plugins, () => {
  const entries = new Map<string, PluginEntry>()
  return {
    apply(key, value) {
      const entry = readPluginRecord(key, value)
      if (entry) entries.set(key, entry)
      else entries.delete(key)
    },
    use() {
      const { all, byName } = catalogOf(entries.values(), ({ version }) => version !== '9.0.0')
      for (const plugin of all) {
        assert.equal(byName.get(plugin.class)?.class, plugin.class)
        describeConfig(plugin.spec)
        for (const { errors } of validateConfig(plugin.spec, SENT, { deferReferences: true }).values) {
          for (const error of errors) assert.equal(typeof error, 'string')
        }
        misspeltKeys(Object.keys(SENT), [plugin.spec])
      }
    },
  }
})

const auditTarget = topicTarget('audit', audit, () => ({
  apply(_key, value) {
    if (value !== null) assert.ok(auditRecord(readAuditRecord(value)).length > 0)
  },
  use() {},
}))

const historyTarget = topicTarget('history', versions, () => {
  const state = new HistoryState()
  return {
    apply: (key, value) => state.apply(key, value),
    use() {
      for (const connector of state.connectors()) {
        for (const { version, time } of state.versions(connector)) {
          assert.ok(new Date(time).toISOString().length > 0)
          assert.ok(versionRecord(connector, state.version(connector, version)!).value!.length > 0)
        }
        assert.equal(state.latest(connector)?.version, state.versions(connector).at(-1)?.version)
      }
      assert.ok(state.deleted().every((connector) => state.latest(connector)?.config === null))
    },
  }
})

/** Metadata and assignments of a group: read by their shape, then assigned. */
const groupTarget: Target<Buffer> = {
  name: 'group',
  generate(random) {
    const payload = encodePayload(mutateJson(random, random.pick(members)))
    return random.chance(0.2) ? Buffer.from(mutateBytes(random, new Uint8Array(payload))) : payload
  },
  run(payload) {
    const assignment = readPayload<{ readonly run: readonly string[] }>(payload, isMemberAssignment)
    for (const unit of assignment?.run ?? []) parseUnit(unit)
    const metadata = readPayload<{ readonly cfg: string; readonly own: readonly [string, number, 0 | 1][] }>(payload, isMemberMetadata) // prettier-ignore
    if (metadata === null) return assignment === null ? 'refused' : 'past'
    BigInt(metadata.cfg)
    const own = metadata.own.map(([unit, epoch, stopping]) => ({ unit, epoch, stopping: stopping === 1 }))
    const { assignments } = assignUnits(
      [{ memberId: 'a', leaving: false, own }, { memberId: 'b', leaving: false, own: [] }], // prettier-ignore
      ['c/a', 'c/b'],
      { allowMoves: true },
    )
    assert.equal(assignments.size, 2)
    return 'past'
  },
  show: (payload) => payload.toString('base64'),
}

/** Bytes of a log: whole batches, or ones that are skipped, and always progress. */
const batchesTarget: Target<Buffer> = {
  name: 'batches',
  generate: (random) => Buffer.from(mutateBytes(random, new Uint8Array(random.pick(batches)))),
  run(bytes) {
    let read
    try {
      read = readRecordBatches(bytes)
    } catch (error) {
      if (error instanceof RangeError) return 'refused'
      throw error
    }
    const { records, next, unreadable } = committedRecords(
      { partitionIndex: 0, records: read, abortedTransactions: null },
      0n,
    )
    assert.ok(next >= 0n && typeof records.length === 'number')
    return unreadable.length > 0 ? 'refused' : 'past'
  },
  show: (bytes) => bytes.toString('base64'),
}

const TARGETS = [
  configsTarget(),
  statusesTarget,
  offsetsTarget,
  apiKeysTarget,
  deadLettersTarget,
  pluginsTarget,
  auditTarget,
  historyTarget,
  groupTarget,
  batchesTarget,
]

/** Runs `iterations` inputs over all that is read from internal topics and from groups. */
export function fuzz(iterations: number, seed: number, progress?: Progress): Promise<Report> {
  return fuzzTargets(TARGETS, iterations, seed, { ...(progress && { progress }) })
}
