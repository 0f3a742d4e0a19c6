import { isBuiltin } from 'node:module'
import { dirname, join } from 'node:path'
import type { Project } from '../workspace.ts'
import { deploy, forAll, forTests, kinds, libraries, reserved } from './table.ts'

const LEFT_OUT =
  'images leave the files of tests out: move what both need to a file of its own, outside of testing/ and test/.'
const TABLE = 'test/workspace/imports/table.ts'

/**
 * @param file relative to the root of the repository, as are the folders of `projects`
 * @param specifier as it stands in the import
 * @returns the problem with this import and its repair, in one or two sentences; null when the import is allowed.
 * Imports inside one project are allowed here; see circles.ts. Files in test/ may import anything.
 */
export function layerProblem(file: string, specifier: string, projects: readonly Project[]): string | null {
  const importer = importerOf(file, projects)
  if (importer === null || isBuiltin(specifier)) return null
  if (specifier.startsWith('.')) return pathProblem(importer, join(dirname(file), specifier), projects)
  const target = projects.find(({ manifest: { name } }) => specifier === name || specifier.startsWith(`${name}/`))
  if (target !== undefined) {
    const forTests = isTestFile(`${specifier}.ts`) && !importer.isTest
    return projectProblem(importer, target) ?? (forTests ? LEFT_OUT : null)
  }
  return packageProblem(importer, packageOf(specifier), projects)
}

interface Importer {
  /** `libs/kafka`, `apps/ws-ingest`, `deploy`. */
  readonly folder: string
  /** The name of the project in `reserved`. */
  readonly names: readonly string[]
  /** The libraries that it may import; undefined when the import table does not know the importer. */
  readonly row: readonly string[] | undefined
  /** The packages that its package.json lists; null for deploy/, whose packages are those of the root. */
  readonly listed: readonly string[] | null
  readonly isTest: boolean
}

function importerOf(file: string, projects: readonly Project[]): Importer | null {
  const isTest = isTestFile(file)
  if (file.startsWith('deploy/')) return { folder: 'deploy', names: [], row: deploy, listed: null, isTest }
  const project = projects.find(({ folder }) => file.startsWith(`${folder}/`))
  if (project === undefined) return null
  const { folder, manifest } = project
  const kind = manifest.tributary?.kind ?? ''
  const isApp = folder.startsWith('apps/')
  const row = rowOf(project, isTest)
  const names = isApp ? ['app', `kind ${kind}`] : [nameOf(folder)]
  const listed = Object.keys({ ...manifest.dependencies, ...(isTest ? manifest.devDependencies : {}) })
  return { folder, names, row, listed, isTest }
}

/** @returns the libraries that a project may import; undefined when the import table does not know the project. */
export function rowOf({ folder, manifest }: Project, isTest = false): readonly string[] | undefined {
  const own = folder.startsWith('apps/') ? kinds[manifest.tributary?.kind ?? ''] : libraries[nameOf(folder)]
  if (own === undefined || forAll.includes(nameOf(folder))) return own
  // An app that may import connect-api may test its connectors with the testkit.
  const mayTest = isTest && folder.startsWith('apps/') && own.includes('connect-api')
  return [...own, ...forAll, ...(mayTest ? forTests : [])]
}

/** Code that no image holds: `*.test.ts`, an app's folder `test`, and what tests share, `testing/` and `testing.ts`. */
export function isTestFile(file: string): boolean {
  return /\.test\.[cm]?[jt]s$|\/testing(\/|\.[cm]?[jt]s$)|^apps\/[^/]+\/test\//.test(file)
}

function pathProblem(importer: Importer, target: string, projects: readonly Project[]): string | null {
  const { folder, isTest } = importer
  if (target.startsWith(`${folder}/`)) {
    if (isTest || !isTestFile(target)) return null
    return LEFT_OUT
  }
  if (target.startsWith('test/')) {
    return `test/ holds nothing that ${folder} may import: move what both need into a library, such as testkit or harness.`
  }
  const other = projects.find((project) => target.startsWith(`${project.folder}/`))
  const problem = other === undefined ? null : projectProblem(importer, other)
  const name = other?.folder ?? 'another project'
  return problem ?? `import ${name} by its name, not by a path, and export what is needed from its src/index.ts.`
}

function projectProblem({ folder, row }: Importer, { folder: target }: Project): string | null {
  const name = nameOf(target)
  if (target === folder) return 'import a file of the same project by its relative path.'
  if (target.startsWith('apps/')) {
    return 'no project may import an app: apps meet in Kafka and over HTTP. Move what both need into a library.'
  }
  if (row === undefined) {
    return folder.startsWith('apps/')
      ? `${folder}/package.json must say "tributary": { "kind": … }, one of ${Object.keys(kinds).join(', ')}.`
      : `${folder} needs a row in \`libraries\` in ${TABLE}.`
  }
  if (row.includes(name)) return null
  if (forTests.includes(name)) {
    return `${name} is for tests: only *.test.ts, test/ and testing/ may import it, in an app that may import connect-api.`
  }
  const may = row.length === 0 ? 'no other project' : `only ${row.join(', ')}`
  return `${folder} may import ${may} (${TABLE}). Move the code to a project that may import both, or pass the value or function in from there.`
}

function packageProblem(importer: Importer, name: string, projects: readonly Project[]): string | null {
  const { folder, names, listed, isTest } = importer
  const [pattern, owners] = Object.entries(reserved).find(([key]) => matches(key, name)) ?? [name, null]
  if (owners !== null && !owners.some((owner) => names.includes(owner))) {
    return `only ${owners.join(', ')} may import ${pattern} (\`reserved\` in ${TABLE}). Call what they export instead.`
  }
  const users = projects.filter(({ folder: user, manifest }) => user.startsWith('apps/') && name in (manifest.dependencies ?? {})) // prettier-ignore
  if (owners === null && !names.includes('app') && users.length > 0) {
    const apps = users.map((user) => user.folder).join(' and ')
    return `${name} serves the protocol of ${apps}: keep the code there, or give ${name} a row in \`reserved\` in ${TABLE}.`
  }
  if (listed === null || listed.includes(name)) return null
  const flag = isTest ? ' --save-dev' : ''
  return `${name} is not in ${folder}/package.json: run \`npm install ${name} -w ${folder}${flag}\`, because npm may hoist it to another place.`
}

function matches(pattern: string, name: string): boolean {
  return pattern.endsWith('/*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}

function nameOf(folder: string): string {
  return folder.split('/')[1] ?? folder
}

/** `@scope/name/sub/path` → `@scope/name`. */
export function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}
