import { DatabaseSync } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { Serial } from '@tributary/async'
import { unpackConnection } from '@tributary/config'
import { openDatabase } from '../store/database.ts'
import { LetterQueries } from '../store/letter-queries.ts'
import { LetterStore } from '../store/letter-store.ts'
import type { FromThread, Operations, Request, ThreadData } from './messages.ts'
import { TopicFeed } from './topic-feed.ts'

// The thread of SqliteDeadLetterIndex: it has the database, and reads the topics.

const { connection: packed, folder, maxBytes, lookMs } = workerData as ThreadData
const connection = unpackConnection(packed)
const STATE_MS = 100
/** How often, in transactions of letters, the size of the database is looked at. */
const SIZE_LOOK = 50

const send = (message: FromThread): void => parentPort!.postMessage(message)
const log: (level: 'info' | 'warn' | 'error', event: string, fields: object) => void = (level, event, fields) =>
  send({ kind: 'log', level, event, fields })

const opened = await openDatabase(folder)
if (opened.thrownAway !== null) log('warn', 'dead_letter_index_built_anew', { reason: opened.thrownAway })
const store = new LetterStore(opened.database)
const reader = new DatabaseSync(opened.file, { readOnly: true })
reader.exec('PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY')
const queries = new LetterQueries(reader, store, () => setImmediate())
const end = new AbortController()
const feeds = new Map<string, { readonly feed: TopicFeed; readonly done: Promise<void> }>()
const applying = new Serial()
const told = new Set<string>()
let changes = 0
let removed = false
let idsIndexed = false
let removing: Promise<void> | null = null
let stateTimer: NodeJS.Timeout | null = null

/** Soon after a change: the letters that left Kafka leave, the size is looked at, and the main thread hears of the state. */
function changed(): void {
  stateTimer ??= setTimeout(() => {
    stateTimer = null
    tell()
    removing ??= remove().finally(() => (removing = null))
  }, STATE_MS)
}

async function remove(): Promise<void> {
  try {
    while (!end.signal.aborted && store.removeSome()) await setImmediate()
    if (changes++ % SIZE_LOOK !== 0) return
    if (store.bytes <= maxBytes) return
    removed = true
    while (!end.signal.aborted && store.bytes > maxBytes * 0.95 && store.groups.total > 0) {
      store.removeOldest()
      await setImmediate()
    }
    tell()
  } catch (error) {
    log('error', 'dead_letter_index_failed', { error: (error as Error).stack })
  }
}

function tell(): void {
  const all = [...feeds.values()].map(({ feed }) => feed)
  const troubles = all.flatMap(({ trouble }) => (trouble === null ? [] : [trouble]))
  if (removed) {
    const size = Math.round(maxBytes / 2 ** 20)
    troubles.push(
      `The index of dead letters holds the newest ${store.groups.total} letters alone, as it may have ${size} MiB. Older ones are in their topics still.`,
    )
  }
  if (store.groups.isFull) {
    troubles.push('The dead letters name too many connectors and topics: further ones are indexed without these names.')
  }
  const names = new Set<string>()
  for (const { connector } of store.groups.all()) if (connector !== null && !told.has(connector)) names.add(connector)
  for (const name of names) told.add(name)
  if (names.size > 0) send({ kind: 'connectors', names: [...names] })
  const ready = all.every((feed) => feed.ready)
  if (ready && all.length > 0 && !idsIndexed) {
    store.indexIds()
    idsIndexed = true
  }
  const behind = all.reduce((sum, feed) => sum + feed.behind, 0)
  send({
    kind: 'state',
    state: { ready, indexed: store.groups.total, behind, troubles },
  })
}

const operations: {
  [N in keyof Operations]: (...args: Parameters<Operations[N]>) => Promise<ReturnType<Operations[N]>>
} = {
  follow: (topics) => {
    for (const topic of topics) {
      if (feeds.has(topic)) continue
      const feed = new TopicFeed({ connection, store, topic, lookMs, log, onChange: changed })
      feeds.set(topic, { feed, done: feed.run(end.signal) })
    }
    tell()
    return Promise.resolve()
  },
  apply: async (events) => {
    const partOf = (topic: string, partition: number) => store.part(topic, partition)
    await applying.run(() => store.events.apply(events, partOf, () => setImmediate()))
    changed()
  },
  query: (filter, page) => queries.query(filter, page),
  stats: (filter) => queries.stats(filter),
  select: (filter, limit, after) => queries.select(filter, limit, after),
  find: (places) => queries.find(places),
  count: (filter) => queries.count(filter),
  stop: async () => {
    end.abort(new Error('the index of dead letters is closed'))
    await Promise.all([...feeds.values()].map(({ done }) => done))
    await applying.idle()
    await removing
    if (stateTimer) clearTimeout(stateTimer)
    reader.close()
    opened.close()
  },
}

parentPort!.on('message', ({ id, operation, args }: Request) => {
  const run = operations[operation] as (...args: readonly unknown[]) => Promise<unknown>
  run(...args).then(
    (result) => {
      send({ kind: 'answer', id, result })
      if (operation === 'stop') parentPort!.close()
    },
    (error: unknown) => send({ kind: 'refusal', id, error: (error as Error).stack ?? String(error) }),
  )
})
tell()
send({ kind: 'open' })
