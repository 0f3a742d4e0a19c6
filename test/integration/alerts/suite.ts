import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { startServices, type Services } from '../../support/services.ts'
import { until } from '../../support/until.ts'

/** A server that a connector reads. Each of its streams sends one message at once. */
export interface AlertFeed {
  readonly props: Readonly<Record<string, string>>
  /** Labels of the documented metrics, besides the connector's name. */
  readonly labels: Readonly<Record<string, string>>
  /** Skips the next `count` numbers. */
  skip(count: number): Promise<void> | void
  send(count: number): Promise<void> | void
  /** Ends the open stream. */
  end(): void
  stop(): void
}

/** The connector of one alert. `provoke` makes the alert's condition true. */
export interface AlertCase {
  readonly expression: string
  readonly config: Readonly<Record<string, string>>
  /** True: its streams end as soon as the alert is provoked. The other connectors keep their streams. */
  readonly ends?: true
  provoke(feed: AlertFeed, pause: () => Promise<void>): Promise<void> | void
}

export interface AlertSuite {
  readonly app: string
  readonly connectorClass: string
  /** The alert rules of the documents, by name. */
  readonly alerts: Readonly<Record<string, AlertCase>>
  /** Prefix of the documented metrics. */
  readonly prefix: string
  /** Starts a server. `endsLater`: every stream except the first one ends after its message. */
  startFeed(endsLater: boolean): Promise<AlertFeed>
}

/**
 * Checks each alert on scrapes of a worker: the alert is silent at first, and then fires for its own connector only.
 */
export function alertSuite({ app, connectorClass, alerts, prefix, startFeed }: AlertSuite): void {
  const run = randomUUID().slice(0, 8)
  const connectorOf = (alert: string): string => `${alert}-${run}`

  describe(`the documents' alert expressions on scrapes of ${app}`, () => {
    const feeds = new Map<string, AlertFeed>()
    let services: Services | undefined
    let first: Scrape
    let second: Scrape

    const scrape = async (): Promise<Scrape> => parseScrape(await services!.scrape())
    /** Pauses the connector, so that nothing takes messages out of the queue. */
    const pause = async (connector: string): Promise<void> => {
      await services!.rest('PUT', `/connectors/${connector}/pause`)
      await until('it is paused', async () => (await services!.status(connector)).tasks[0]?.state === 'PAUSED')
    }

    before(async () => {
      services = await startServices(app)
      for (const [alert, { config, ends }] of Object.entries(alerts)) {
        const feed = await startFeed(ends === true)
        feeds.set(alert, feed)
        const connector = { 'connector.class': connectorClass, 'tasks.max': '1', 'kafka.topic': `alerts-${run}` }
        await services.create(connectorOf(alert), { ...feed.props, ...connector, ...config })
      }
      await until('each has received its first message', async () => {
        first = await scrape()
        const received = first.get(`${prefix}_MessagesReceived`) ?? []
        return received.length === feeds.size && received.every(({ value }) => value >= 1)
      })
      second = await scrape()
    })
    after(async () => {
      for (const feed of feeds.values()) feed.stop()
      await services?.stop()
    })

    for (const [alert, { expression, provoke }] of Object.entries(alerts)) {
      test(`${alert} (${expression}) is silent at first, and fires for its connector only`, async () => {
        assert.deepEqual(firing(expression, first, second), [])
        const connector = connectorOf(alert)
        const feed = feeds.get(alert)!
        const provoked = provoke(feed, () => pause(connector))
        const found = await until('it fires', async () => {
          const series = firing(expression, first, await scrape())
          return series.length > 0 && series
        })
        await provoked
        assert.deepEqual(
          found.map(({ labels }) => labels),
          [{ connector_name: connector, ...feed.labels }],
        )
      })
    }

    test('the scrape has every attribute that the documents name', () => {
      const missing = ATTRIBUTES.filter((name) => !first.has(`${prefix}_${name}`))
      assert.deepEqual(missing, [])
    })
  })
}

/** Figures of the JVM connectors' MBeans. `isConnected` is the documents' name of one of them. */
const ATTRIBUTES = [
  ...[
    'MessagesReceived',
    'MessagesDropped',
    'RecordsProduced',
    'QueueSize',
    'QueueCapacity',
    'QueueUtilizationPercent',
  ],
  ...['Connected', 'isConnected', 'MillisSinceLastMessage', 'UptimeMillis', 'TotalReconnects', 'LagCount', 'DropRate'],
]

/** A series of a scrape: its labels and its value. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export type Scrape = ReadonlyMap<string, readonly Series[]>

/** Parses Prometheus' text format into series by metric name. */
export function parseScrape(text: string): Scrape {
  const scrape = new Map<string, Series[]>()
  for (const line of text.split('\n')) {
    const found = /^(\w+)(?:\{(.*)\})? (\S+)/.exec(line)
    if (found === null) continue
    const [, name, labels = '', value] = found
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key, text] as const)
    const series = { labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) }
    scrape.set(name!, [...(scrape.get(name!) ?? []), series])
  }
  return scrape
}

const INSTANT = /^(\w+) (==|>) (-?[\d.]+)$/
const RANGE = /^(increase|rate)\((\w+)\[\d+m\]\) (==|>) (-?[\d.]+)$/

/**
 * The series for which an alert's expression holds, by PromQL's rules for the few forms that the documents use. A range
 * spans the two scrapes, whatever its length in the expression. A value that fell is a counter that started again.
 */
export function firing(expression: string, earlier: Scrape, later: Scrape): Series[] {
  const instant = INSTANT.exec(expression)
  if (instant) {
    const [, name, operator, bound] = instant
    return (later.get(name!) ?? []).filter(({ value }) => holds(value, operator!, Number(bound)))
  }
  const range = RANGE.exec(expression)
  if (!range) throw new Error(`no expression of a form known here: ${expression}`)
  const [, , name, operator, bound] = range
  return (later.get(name!) ?? []).flatMap(({ labels, value }) => {
    const before = (earlier.get(name!) ?? []).find((series) => sameLabels(series.labels, labels))
    // PromQL computes neither a rate nor an increase from one sample.
    if (!before) return []
    const growth = value >= before.value ? value - before.value : value
    // The documents compare only the sign of a rate, so the seconds between the scrapes do not matter.
    return holds(growth, operator!, Number(bound)) ? [{ labels, value: growth }] : []
  })
}

function holds(value: number, operator: string, bound: number): boolean {
  return operator === '==' ? value === bound : value > bound
}

function sameLabels(a: Series['labels'], b: Series['labels']): boolean {
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key])
}
