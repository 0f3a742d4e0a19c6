import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const workspaceRoot = resolve(import.meta.dirname, '../..')

export interface Manifest {
  readonly name: string
  readonly exports?: Readonly<Record<string, string>>
  readonly scripts?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  /** Only of an app; see docs/decisions/22-app-manifest.md. */
  readonly tributary?: { readonly kind: string; readonly plugins?: readonly string[] }
}

export interface Project {
  /** Relative to the root of the workspace: `libs/kafka`. */
  readonly folder: string
  readonly manifest: Manifest
}

export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
}

/** All apps and libs, in the order of their names. */
export function projects(): Project[] {
  return ['apps', 'libs'].flatMap((kind) =>
    readdirSync(join(workspaceRoot, kind))
      .sort()
      // git leaves the folder of a removed project if it contains ignored files.
      .filter((name) => existsSync(join(workspaceRoot, kind, name, 'package.json')))
      .map((name) => ({ folder: `${kind}/${name}`, manifest: readManifest(join(workspaceRoot, kind, name)) })),
  )
}
