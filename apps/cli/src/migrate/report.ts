import { type Config, type OldConnect, type OldConnector } from './old-connect.ts'
import { messageOf, pathOf, type Rest } from './rest.ts'
import { knownSource } from './sources.ts'

/**
 * - `better`, `different`: what the connector does here
 * - `check`: what a person must know before it moves, as the REST API of the old one does not tell
 * - `missing`: it cannot run here as it is
 */
export type Level = 'better' | 'different' | 'check' | 'missing'

export interface Finding {
  readonly level: Level
  readonly text: string
}

export interface ConnectorReport {
  readonly name: string
  readonly class: string
  readonly type: string
  /** On the old Kafka Connect. */
  readonly state: string
  /** The worst of its findings; `same` without any. */
  readonly verdict: Level | 'same'
  /** What becomes of its offsets, in a sentence. */
  readonly offsets: string
  readonly findings: readonly Finding[]
}

export interface ReportOptions {
  /** Settings of the old worker that connectors rely on; null: they are not known. */
  readonly workerConfig: Config | null
  /** Connectors that this command has moved here before. */
  readonly ours: ReadonlySet<string>
}

/** Keys that every connector inherits from its worker. */
const INHERITED = ['key.converter', 'value.converter', 'header.converter'] as const

/** The configuration that the connector gets here: its own, and the converters of its old worker where it has none. */
export function configHere({ config, name }: OldConnector, workerConfig: Config | null): Config {
  const inherited = INHERITED.filter((key) => config[key] === undefined && workerConfig?.[key] !== undefined)
  const added = Object.entries(workerConfig ?? {}).filter(([key]) =>
    inherited.some((one) => key === one || key.startsWith(`${one}.`)),
  )
  return { ...Object.fromEntries(added), ...config, name }
}

/** What each connector would do here. Changes nothing. */
export async function reportOn(
  old: OldConnect,
  here: Rest,
  connectors: readonly OldConnector[],
  options: ReportOptions,
): Promise<ConnectorReport[]> {
  const reports: ConnectorReport[] = []
  for (const connector of connectors) reports.push(await reportOnOne(old, here, connector, options))
  return reports
}

const ORDER: readonly Level[] = ['missing', 'check', 'different', 'better']

async function reportOnOne(
  old: OldConnect,
  here: Rest,
  connector: OldConnector,
  options: ReportOptions,
): Promise<ConnectorReport> {
  const { name, config, state, type } = connector
  const className = config['connector.class'] ?? ''
  const judged = await judge(here, connector, options)
  const known = knownSource(className)
  const findings: Finding[] = [...judged]
  if (!findings.some(({ level }) => level === 'missing')) {
    findings.push(...settingsFindings(connector, options.workerConfig))
    if (old.hasOffsets === false)
      findings.push({
        level: 'check',
        text: 'The old Kafka Connect tells no offsets by REST (that came with 3.5): it begins here without any. Read them from its offsets topic before, and set them here.',
      })
    findings.push(...known.different.map((text): Finding => ({ level: 'different', text })))
    findings.push(...known.better.map((text): Finding => ({ level: 'better', text })))
  }
  const verdict = ORDER.find((level) => findings.some((finding) => finding.level === level)) ?? 'same'
  return { name, class: className, type, state, verdict, offsets: known.position, findings }
}

/** Asks the server here whether it has the class, and what it says to the configuration. */
async function judge(here: Rest, connector: OldConnector, options: ReportOptions): Promise<Finding[]> {
  const { name, type } = connector
  const config = configHere(connector, options.workerConfig)
  const className = config['connector.class'] ?? ''
  const missing = (text: string): Finding[] => [{ level: 'missing', text }]
  const path = `/connector-plugins/${encodeURIComponent(className)}/config/validate`
  const answer = await here.call('PUT', path, config)
  if (answer.status === 404 || /^Failed to find any class/.test(messageOf(answer))) {
    const what = type === 'sink' ? 'There is no sink connector' : 'There is no connector'
    return missing(`${what} of the class ${className} here. It stays where it is.`)
  }
  if (answer.status !== 200) return missing(`Its configuration could not be checked: ${messageOf(answer)}`)
  const { configs } = answer.body as {
    configs: { definition: object | null; value: { name: string; errors: string[] } }[]
  }
  const errors = configs.flatMap(({ value }) => value.errors.map((error) => `${value.name}: ${error}`))
  if (errors.length > 0) return errors.flatMap(missing)
  const there = await here.call('GET', pathOf(name))
  if (there.status === 200 && !options.ours.has(name))
    return missing('There is a connector of this name here already. Delete or rename one of them.')
  const known = new Set(configs.flatMap(({ definition, value }) => (definition === null ? [] : [value.name])))
  const unknown = Object.keys(config).filter((key) => !known.has(key) && !FAMILIES.some((one) => key.startsWith(one)))
  if (unknown.length === 0) return []
  return [{ level: 'different', text: `Not known here, and without effect: ${unknown.join(', ')}.` }]
}

const FAMILIES = [
  ...['transforms.', 'predicates.', 'topic.creation.', 'producer.override.', 'consumer.override.', 'admin.override.'],
  ...['key.converter.', 'value.converter.', 'header.converter.'],
]

function settingsFindings(connector: OldConnector, workerConfig: Config | null): Finding[] {
  const { config, type } = connector
  const findings: Finding[] = []
  const whole = configHere(connector, workerConfig)
  const inherited = INHERITED.slice(0, 2).filter((key) => whole[key] === undefined)
  if (inherited.length > 0)
    findings.push({
      level: 'check',
      text: `${inherited.join(' and ')} ${inherited.length > 1 ? 'are' : 'is'} the old worker's, which its REST API does not tell: give its file with --worker-config, or set ${inherited.length > 1 ? 'them' : 'it'} in the configuration before. Else the worker here decides.`,
    })
  const providers = new Set([...JSON.stringify(config).matchAll(/\$\{([\w-]+):/g)].map(([, name]) => name!))
  if (providers.size > 0)
    findings.push({
      level: 'different',
      text: `Its references need the config provider ${[...providers].join(', ')} with the same files on the workers here.`,
    })
  if (type === 'source' && config['errors.deadletterqueue.topic.name'])
    findings.push({
      level: 'better',
      text: 'Bad records go to errors.deadletterqueue.topic.name. Kafka Connect has no dead-letter queue for sources.',
    })
  else if (config['errors.tolerance'] === 'all')
    findings.push({
      level: 'different',
      text: 'errors.tolerance=all skips bad records, as before. With errors.deadletterqueue.topic.name they would be kept here.',
    })
  if (config['offset.flush.interval.ms'] !== undefined)
    findings.push({
      level: 'different',
      text: 'offset.flush.interval.ms has no effect: offsets are committed each 100 ms.',
    })
  return findings
}
