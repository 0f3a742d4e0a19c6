import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { COMMON_CONNECTOR_KEYS, SOURCE_CONNECTOR_KEYS, TRIBUTARY_CONNECTOR_KEYS } from '@tributary/connect-api'

const TEMPLATE = join(import.meta.dirname, 'template')
const SUFFIX = '.tmpl'

/** The forms of a source's name that the template uses; `web-hook` gives these. */
export interface Names {
  /** `web-hook` */
  readonly name: string
  /** `WebHook`, in class names. */
  readonly Name: string
  /** `webHook`, in names of constants. */
  readonly camel: string
  /** `webhook`, in the package of a Java-like class name. */
  readonly id: string
  /** `web.hook`, at the front of settings. */
  readonly key: string
  /** `WEB_HOOK`, at the front of error codes. */
  readonly CODE: string
}

/** Throws Error for a text that is no name of a source. */
export function namesOf(text: string): Names {
  const name = text.replace(/-ingest$/, '')
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
    throw new Error(
      `'${text}' is no name for a source: use lower-case words with hyphens between them, such as web-hook`,
    )
  }
  const words = name.split('-')
  const Name = words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('')
  const camel = Name[0]!.toLowerCase() + Name.slice(1)
  return { name, Name, camel, id: words.join(''), key: words.join('.'), CODE: words.join('_').toUpperCase() }
}

/**
 * The names of error codes and of settings that exist, by the generated page that lists them: the codes of all packages have one
 * owner each, and a user must see by a setting whose it is.
 */
function namesByPage(root: string): Map<string, string[]> {
  const pages = globSync('{apps,libs}/*/{ERRORS,CONFIG}.md', { cwd: root }).sort()
  const named = pages.map((page): [string, string[]] => {
    const text = readFileSync(join(root, page), 'utf8')
    return [page, Array.from(text.matchAll(/^\| `([^`]+)` \|/gm), ([, name = '']) => name)]
  })
  const framework = { ...COMMON_CONNECTOR_KEYS, ...SOURCE_CONNECTOR_KEYS, ...TRIBUTARY_CONNECTOR_KEYS }
  return new Map([...named, ['the keys of every connector', Object.keys(framework)]])
}

/** Throws Error when another package has error codes or settings that begin as those of the new source would. */
function checkCollisions(root: string, { name, key, CODE }: Names): void {
  for (const [page, names] of namesByPage(root)) {
    const taken = names.find((one) => one.startsWith(`${CODE}_`) || one.startsWith(`${key}.`) || one === key)
    if (taken === undefined) continue
    throw new Error(`'${name}' is taken: ${page} has ${taken}. Choose another name, such as my-${name}`)
  }
}

/**
 * Writes `apps/<name>-ingest` below `root` from the template, and answers the folder. Throws Error when it is there already, and
 * when the names of its errors or settings collide with others.
 */
export function createSource(root: string, text: string): string {
  const names = namesOf(text)
  const folder = join(root, 'apps', `${names.name}-ingest`)
  if (existsSync(folder)) throw new Error(`${folder} exists already`)
  checkCollisions(root, names)
  for (const file of readdirSync(TEMPLATE, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith(SUFFIX)) continue
    const target = join(folder, file.slice(0, -SUFFIX.length))
    mkdirSync(dirname(target), { recursive: true })
    const filled = readFileSync(join(TEMPLATE, file), 'utf8').replaceAll(/\{\{(\w+)\}\}/g, (_, form: keyof Names) => {
      return names[form]
    })
    writeFileSync(target, filled)
  }
  return folder
}

/** `npm run new-source -- NAME [--no-install]` */
function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    allowNegative: true,
    options: { install: { type: 'boolean', default: true } },
  })
  const root = resolve(import.meta.dirname, '../../../..')
  const folder = createSource(root, positionals[0] ?? '')
  const run = (command: string, args: string[]): void => {
    const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
    if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed`)
  }
  run(process.execPath, [join(root, 'node_modules/prettier/bin/prettier.cjs'), '--write', '--log-level=warn', folder])
  if (values.install) {
    run('npm', ['install'])
    run('npm', ['run', 'docs'])
  }
  process.stdout.write(
    `${folder} is there. Run its contract suite with: npx node --test ${folder}/test/contract.test.ts\n`,
  )
}

if (import.meta.main) {
  try {
    main()
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`)
    process.exitCode = 1
  }
}
