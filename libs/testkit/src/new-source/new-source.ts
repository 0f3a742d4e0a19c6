import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

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

/** Writes `apps/<name>-ingest` below `root` from the template, and answers the folder. Throws Error when it is there already. */
export function createSource(root: string, text: string): string {
  const names = namesOf(text)
  const folder = join(root, 'apps', `${names.name}-ingest`)
  if (existsSync(folder)) throw new Error(`${folder} exists already`)
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
