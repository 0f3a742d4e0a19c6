import { cpSync, existsSync, globSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import ts from 'typescript'
import { productionClosure, readLockfile, type Lockfile } from './lockfile.ts'

const root = resolve(import.meta.dirname, '../..')

interface Manifest {
  readonly name: string
  readonly version: string
  readonly exports: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
}

/**
 * Copies an app, and all that it needs in production, to a folder from which it starts without the workspace. The code of the app
 * and of our libraries becomes JavaScript, because Node strips no types below node_modules. External packages are those that
 * package-lock.json names. Every workspace becomes an ordinary package, so that a package that npm could not hoist keeps its
 * place below the one that needs it.
 *
 * @param app name of a folder in apps/
 * @param target a folder that does not exist yet, or is empty
 * @returns the path of the entry point, which Node 24 starts
 * Throws Error when there is no such app, or when `target` holds something.
 */
export function pruneApp(app: string, target: string): string {
  const workspace = `apps/${app}`
  if (!existsSync(join(root, workspace, 'package.json'))) throw new Error(`there is no app ${workspace}`)
  if (existsSync(target) && readdirSync(target).length > 0) throw new Error(`${target} is not empty`)
  const lockfile = readLockfile(root)
  const locations = productionClosure(lockfile, workspace)
  for (const location of locations) {
    const destination = join(target, imageLocation(lockfile, location))
    if (isWorkspace(location)) copyWorkspace(join(root, location), destination)
    else copyPackage(join(root, location), destination)
  }
  return join(target, imageLocation(lockfile, workspace), 'src/main.js')
}

/** `libs/kafka/node_modules/x` becomes `node_modules/@tributary/kafka/node_modules/x`. */
function imageLocation(lockfile: Lockfile, location: string): string {
  if (location.startsWith('node_modules/')) return location
  const [workspace = '', ...nested] = location.split(/(?=\/node_modules\/)/)
  return `node_modules/${lockfile[workspace]?.name ?? workspace}${nested.join('')}`
}

function isWorkspace(location: string): boolean {
  return !location.includes('node_modules/')
}

function copyWorkspace(source: string, destination: string): void {
  const {
    name,
    version,
    exports,
    dependencies = {},
  } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as Manifest
  // As isTestFile of test/workspace/imports/layers.ts says: no code that ships imports these.
  const left = [
    'node_modules/**',
    '**/*.test.ts',
    '**/*.d.ts',
    '**/testing/**',
    '**/testing.ts',
    'test/**',
    '*.{json,md}',
  ]
  mkdirSync(destination, { recursive: true })
  for (const file of globSync('**/*.*', { cwd: source, exclude: left })) {
    mkdirSync(dirname(join(destination, file)), { recursive: true })
    if (file.endsWith('.ts')) writeFileSync(join(destination, toJs(file)), compile(join(source, file)))
    else cpSync(join(source, file), join(destination, file))
  }
  const shipped = Object.entries(exports).filter(([path]) => path !== './testing')
  const compiledExports = Object.fromEntries(shipped.map(([path, file]) => [path, toJs(file)]))
  const manifest = { name, version, private: true, type: 'module', exports: compiledExports, dependencies }
  writeFileSync(join(destination, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
}

/** Copies an installed package without the packages nested in it: the needed ones have locations of their own. */
function copyPackage(source: string, destination: string): void {
  // The lockfile names optional packages for other platforms too. They are not on the disk.
  if (!existsSync(source)) return
  const nested = join(source, 'node_modules')
  cpSync(source, destination, { recursive: true, dereference: true, filter: (file) => file !== nested })
}

function toJs(file: string): string {
  return file.replace(/\.ts$/, '.js')
}

function compilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.base.json'), (path) => ts.sys.readFile(path)) as {
    config: { compilerOptions: Record<string, unknown> }
  }
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root)
  // `nodenext` asks package.json for its `type`, and a file that is compiled alone has no package.json.
  return { ...options, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler }
}

const options = compilerOptions()

/** Removes the types and turns `./x.ts` into `./x.js`. Types are not checked, so each file compiles alone and quickly. */
function compile(fileName: string): string {
  return ts.transpileModule(readFileSync(fileName, 'utf8'), { fileName, compilerOptions: options }).outputText
}

if (import.meta.main) {
  const [app, folder] = process.argv.slice(2)
  if (app === undefined || folder === undefined) {
    console.error('usage: npm run prune-app -- <app> <folder>')
    process.exit(1)
  }
  console.log(pruneApp(app, resolve(folder)))
}
