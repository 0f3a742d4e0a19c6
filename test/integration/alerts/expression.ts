/** A series of a scrape: its labels and its value then. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export type Scrape = ReadonlyMap<string, readonly Series[]>

/** Series by metric name, from Prometheus' text format. */
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
 * spans the two scrapes, whatever its length says; a value that fell is a counter that began anew.
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
    // Of one sample PromQL makes neither a rate nor an increase.
    if (!before) return []
    const growth = value >= before.value ? value - before.value : value
    // Only its sign is compared where it is a rate, so the seconds between the scrapes do not matter.
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
