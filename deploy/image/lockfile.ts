import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** One entry of `packages` in package-lock.json (lockfileVersion 3), by its location: `node_modules/ws`, `libs/kafka`. */
interface LockedPackage {
  readonly name?: string
  /** True for a workspace: the entry `node_modules/@tributary/kafka` has `resolved: "libs/kafka"`. */
  readonly link?: boolean
  readonly resolved?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
}

export type Lockfile = Readonly<Record<string, LockedPackage>>

export function readLockfile(root: string): Lockfile {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: Lockfile }
  return packages
}

/**
 * @param start the location of a workspace, such as `apps/grpc-ingest`
 * @returns the locations of the workspace and of everything that it needs in production; the workspace is the first
 * Throws Error for a dependency that the lockfile does not know.
 */
export function productionClosure(lockfile: Lockfile, start: string): string[] {
  const found = new Set([start])
  for (const location of found) {
    const entry = lockfile[location]
    if (entry === undefined) throw new Error(`package-lock.json knows nothing at ${location}; run npm install`)
    for (const [name, optional] of dependenciesOf(entry)) {
      const target = locate(lockfile, location, name)
      if (target !== null) found.add(target)
      else if (!optional) throw new Error(`${location} needs ${name}, which is not in package-lock.json`)
    }
  }
  return [...found]
}

function dependenciesOf(entry: LockedPackage): [name: string, optional: boolean][] {
  const optionalPeers = entry.peerDependenciesMeta ?? {}
  return [
    ...Object.keys(entry.dependencies ?? {}).map((name): [string, boolean] => [name, false]),
    ...Object.keys(entry.optionalDependencies ?? {}).map((name): [string, boolean] => [name, true]),
    ...Object.keys(entry.peerDependencies ?? {})
      .filter((name) => optionalPeers[name]?.optional !== true)
      .map((name): [string, boolean] => [name, false]),
  ]
}

/** Searches as Node does: in the node_modules beside the package, then beside each folder above it. */
function locate(lockfile: Lockfile, from: string, name: string): string | null {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = folder === '.' ? `node_modules/${name}` : `${folder}/node_modules/${name}`
    const entry = lockfile[candidate]
    if (entry !== undefined) return entry.link === true ? (entry.resolved ?? candidate) : candidate
    if (folder === '.') return null
  }
}
