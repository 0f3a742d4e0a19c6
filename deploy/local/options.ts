import { parseArgs } from 'node:util'
import { demoConnectors } from './demo.ts'
import { LaunchError } from './errors.ts'
import { services, type ServiceDefinition } from './services.ts'

export interface LaunchOptions {
  readonly help: boolean
  readonly kafkaOnly: boolean
  /** In the order of starting. */
  readonly services: readonly ServiceDefinition[]
  /** Replicas by service; one where it is not named. */
  readonly scale: ReadonlyMap<string, number>
  /** Whether to create the demo's connector and show it. */
  readonly demo: boolean
}

const maxReplicas = 16

export const help = `Starts Tributary on this machine: Kafka, the services as separate processes, and a demo.

  npm start                              everything; Ctrl-C stops it
  npm start -- --no-demo                 the services alone
  npm start -- --services a,b            only these: ${services.map(({ name }) => name).join(', ')}
  npm start -- --scale grpc-ingest=3     three replicas of a service
  npm start -- --kafka-only              the broker alone

Kafka is the one that KAFKA_BROKERS names (host:port, comma-separated); else one from a Docker engine; else one on
Java 17 or newer, fetched by Maven. Other settings (TRIBUTARY_…, see \`npx node apps/<service>/src/main.ts --help\`) are
passed on to the services.

  TRIBUTARY_REST_PORT    port of the REST API, 8083 by default
  TRIBUTARY_DATA_DIR     folder for data and logs, .tributary by default
`

/** Throws LaunchError for arguments that mean nothing. */
export function parseOptions(args: readonly string[]): LaunchOptions {
  const values = parse(args)
  const chosen = values.services === undefined ? services : choose(values.services)
  const kept = values['no-demo'] === true ? chosen.filter(({ demo }) => !demo) : chosen
  const has = (name: string): boolean => kept.some((service) => service.name === name)
  return {
    help: values.help === true,
    kafkaOnly: values['kafka-only'] === true,
    services: kept,
    scale: parseScale(values.scale ?? []),
    demo: ['control-plane', 'demo-feed'].every(has) && demoConnectors.some(({ service }) => has(service)),
  }
}

function parse(args: readonly string[]): {
  help?: boolean
  'no-demo'?: boolean
  'kafka-only'?: boolean
  services?: string
  scale?: string[]
} {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h' },
        'no-demo': { type: 'boolean' },
        'kafka-only': { type: 'boolean' },
        services: { type: 'string' },
        scale: { type: 'string', multiple: true },
      },
    }).values
  } catch (cause) {
    throw new LaunchError(`${(cause as Error).message.split('. ')[0] ?? ''}; see \`npm start -- --help\`.`, { cause })
  }
}

function choose(list: string): ServiceDefinition[] {
  const names = list.split(',').map((name) => name.trim())
  for (const name of names) find(name)
  return services.filter(({ name }) => names.includes(name))
}

function find(name: string): ServiceDefinition {
  const service = services.find((one) => one.name === name)
  if (service !== undefined) return service
  throw new LaunchError(`There is no service ${name}; there are ${services.map((one) => one.name).join(', ')}.`)
}

function parseScale(pairs: readonly string[]): Map<string, number> {
  const scale = new Map<string, number>()
  for (const pair of pairs) {
    const [name = '', count = ''] = pair.split('=')
    const service = find(name)
    const replicas = Number(count)
    if (!/^\d+$/.test(count) || replicas < 1 || replicas > maxReplicas) {
      throw new LaunchError(`--scale wants ${name}=1 to ${name}=${maxReplicas}, not ${pair}.`)
    }
    if (!service.scales && replicas > 1) throw new LaunchError(`Only one ${name} can be started here.`)
    scale.set(name, replicas)
  }
  return scale
}
