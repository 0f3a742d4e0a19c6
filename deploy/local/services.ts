import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { LaunchError } from './errors.ts'
import { repository } from './places.ts'

/**
 * What an app is, as its package.json says in `tributary.kind`. The order is that of starting, and reversed that of stopping:
 * what feeds records in stops first.
 */
const startOrder = ['service', 'source', 'demo'] as const
export type Kind = (typeof startOrder)[number]

/** What people run themselves. */
const TOOL = 'tool'

/** A service that the launcher can start: `apps/<name>/src/main.ts`. */
export interface ServiceDefinition {
  readonly name: string
  /** Sources scale to several replicas. Of a `service` one is started here. A `demo` is left out by `--no-demo`. */
  readonly kind: Kind
  /** Classes that `/connector-plugins` must list before the launcher is ready. */
  readonly plugins: readonly string[]
}

/** The `tributary` block of an app's package.json. */
interface Declaration {
  readonly kind?: string
  readonly plugins?: readonly string[]
}

/** @returns the apps in the order of starting, without tools. Throws LaunchError for an app whose package.json does not say what it is. */
export function readServices(folder: string = join(repository, 'apps')): ServiceDefinition[] {
  const services = readdirSync(folder)
    .sort()
    .filter((name) => existsSync(join(folder, name, 'package.json')))
    .flatMap((name) => readService(folder, name))
  return startOrder.flatMap((kind) => services.filter((service) => service.kind === kind))
}

function readService(folder: string, name: string): ServiceDefinition[] {
  const manifest = JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8')) as { tributary?: Declaration }
  const { kind: declared, plugins = [] } = manifest.tributary ?? {}
  if (declared === TOOL) return []
  const kind = startOrder.find((known) => known === declared)
  if (kind !== undefined) return [{ name, kind, plugins }]
  throw new LaunchError(
    `apps/${name}/package.json must say "tributary": { "kind": … }, one of ${[...startOrder, TOOL].join(', ')}.`,
  )
}
