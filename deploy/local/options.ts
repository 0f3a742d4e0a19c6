import { parseArgs } from 'node:util'
import { demoConnectors } from './demo.ts'
import { LaunchError } from './errors.ts'
import type { ServiceDefinition } from './services.ts'

export interface LaunchOptions {
  readonly help: boolean
  readonly kafkaOnly: boolean
  /** In the order of starting. */
  readonly services: readonly ServiceDefinition[]
  /** Service → replicas, 1 to 16; a service that is not named gets one. */
  readonly scale: ReadonlyMap<string, number>
  /** Whether to create the demo's connectors and show them. */
  readonly demo: boolean
}

const maxReplicas = 16

/** The text of `npm start -- --help`. */
export const helpText = (
  services: readonly ServiceDefinition[],
): string => `Starts Tributary on this machine: Kafka, the services as separate processes, and a demo.

  npm start                              everything; Ctrl-C stops it
  npm start -- --no-demo                 the services alone
  npm start -- --services a,b            only these: ${services.map(({ name }) => name).join(', ')}
  npm start -- --scale grpc-ingest=3     three replicas of a source
  npm start -- --kafka-only              the broker alone

The launcher uses the Kafka that KAFKA_BROKERS names (host:port, comma-separated). Without KAFKA_BROKERS it starts a Kafka of its
own: in a Docker engine if there is one, else on Java 17 or newer, with jars that Maven fetches once. The services get all other
settings too (TRIBUTARY_…, see \`npx node apps/<service>/src/main.ts --help\`).

  TRIBUTARY_REST_PORT    port of the REST API, 8083 by default
  TRIBUTARY_OPERATORS_PORT  port of the operators' API, 8080 by default; -1 for none
  TRIBUTARY_DATA_DIR     folder for data and logs, .tributary by default
  TRIBUTARY_DEMO_SQS_ENDPOINT  an SQS for the demo, instead of an ElasticMQ on Java
`

/**
 * @param services all that there are, in the order of starting
 * Throws LaunchError for arguments that mean nothing.
 */
export function parseOptions(args: readonly string[], services: readonly ServiceDefinition[]): LaunchOptions {
  const values = parse(args)
  const chosen = values.services === undefined ? services : choose(values.services, services)
  const kept = values['no-demo'] === true ? chosen.filter(({ kind }) => kind !== 'demo') : chosen
  const has = (name: string): boolean => kept.some((service) => service.name === name)
  return {
    help: values.help === true,
    kafkaOnly: values['kafka-only'] === true,
    services: kept,
    scale: parseScale(values.scale ?? [], services),
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

function choose(list: string, services: readonly ServiceDefinition[]): ServiceDefinition[] {
  const names = list.split(',').map((name) => name.trim())
  for (const name of names) find(name, services)
  return services.filter(({ name }) => names.includes(name))
}

function find(name: string, services: readonly ServiceDefinition[]): ServiceDefinition {
  const service = services.find((one) => one.name === name)
  if (service !== undefined) return service
  throw new LaunchError(`There is no service ${name}; there are ${services.map((one) => one.name).join(', ')}.`)
}

function parseScale(pairs: readonly string[], services: readonly ServiceDefinition[]): Map<string, number> {
  const scale = new Map<string, number>()
  for (const pair of pairs) {
    const [name = '', count = ''] = pair.split('=')
    const { kind } = find(name, services)
    const replicas = Number(count)
    if (!/^\d+$/.test(count) || replicas < 1 || replicas > maxReplicas) {
      throw new LaunchError(`--scale wants ${name}=1 to ${name}=${maxReplicas}, not ${pair}.`)
    }
    if (kind !== 'source' && replicas > 1) throw new LaunchError(`Only one ${name} can be started here.`)
    scale.set(name, replicas)
  }
  return scale
}
