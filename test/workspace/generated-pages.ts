import { globSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toMarkdown } from '@tributary/config'
import { errorDefinitions, type ErrorDefinition, type SourcePlugin } from '@tributary/connect-api'
import { rightsPage } from './rights-page.ts'
import { projects, workspaceRoot } from './workspace.ts'

/** A page that is generated from code. */
export interface Page {
  /** Relative to the root of the workspace. */
  readonly path: string
  readonly text: string
}

/** The error codes of a package, as its `src/errors.ts` defines them. */
export interface PackageErrors {
  /** Relative to the root of the workspace: `libs/converters`. */
  readonly folder: string
  readonly definitions: Readonly<Record<string, ErrorDefinition>>
}

const KINDS_PAGE = 'libs/connect-api/ERRORS.md'

/** Every error has a kind, which decides what the runtime does. This text stands only on connect-api's page. */
const KINDS = `Every error of Tributary has a code and one of four kinds:

| kind | what happens |
| --- | --- |
| \`retriable\` | An outage. The runtime tries again, with backoff. Only when no tries are left is the task FAILED, and the runtime starts it again later. |
| \`data\` | One record is bad. \`errors.tolerance\` decides whether the task is FAILED, or the record is skipped or becomes a dead letter. |
| \`config\` | A user must change something. REST answers 400; a task that runs is FAILED and does not restart by itself. |
| \`fatal\` | Everything else, and every error without a kind. The task is FAILED, with the whole chain of causes in \`trace\`. |

Each package lists its own codes in the ERRORS.md beside its README. Kafka's own errors keep Kafka's names:
[kafka-producer](../kafka-producer/ERRORS.md) lists them.`

/** The codes of every app and library that defines some. */
export async function packageErrors(): Promise<PackageErrors[]> {
  const found = projects().map(async ({ folder }) => {
    const files = globSync('src/{errors,common-errors}.ts', { cwd: join(workspaceRoot, folder) })
    const exported = await Promise.all(files.map((file) => exportsOf(join(folder, file))))
    return { folder, definitions: Object.assign({}, ...exported.flat().map(errorDefinitions)) as PackageErrors['definitions'] } // prettier-ignore
  })
  return (await Promise.all(found)).filter(({ definitions }) => Object.keys(definitions).length > 0)
}

/** The plugins that each source app exports. */
export async function sourcePlugins(): Promise<{ folder: string; plugins: SourcePlugin[] }[]> {
  const sources = projects().filter(({ manifest }) => manifest.tributary?.kind === 'source')
  return Promise.all(
    sources.map(async ({ folder }) => {
      const plugins = (await exportsOf(join(folder, 'src/index.ts'))).filter(isSourcePlugin)
      return { folder, plugins }
    }),
  )
}

/** Every generated page with its present text. */
export async function pages(): Promise<Page[]> {
  const errors = (await packageErrors()).map((codes) => ({
    path: join(codes.folder, 'ERRORS.md'),
    text: errorsPage(codes),
  }))
  const settings = (await sourcePlugins()).map(({ folder, plugins }) => ({
    path: join(folder, 'CONFIG.md'),
    text: plugins.map((plugin) => toMarkdown(plugin.connector.spec, settingsTitle(plugin))).join('\n'),
  }))
  return [...errors, ...settings, { path: 'docs/security/rights.md', text: await rightsPage() }]
}

function settingsTitle(plugin: SourcePlugin): string {
  return `Settings of ${plugin.class.split('.').at(-1)}`
}

function errorsPage({ folder, definitions }: PackageErrors): string {
  const path = join(folder, 'ERRORS.md')
  const intro =
    path === KINDS_PAGE ? KINDS : `[connect-api](../../${KINDS_PAGE}) says what the four kinds of error are.`
  const rows = Object.entries(definitions)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, { type, doc }]) => `| \`${code}\` | ${kindOf(type)} | ${doc.replaceAll('|', '\\|')} |`)
  return `# Error codes\n\n${intro}\n\n| code | kind | what it means, and what to do |\n| --- | --- | --- |\n${rows.join('\n')}\n`
}

export function kindOf(type: ErrorDefinition['type']): string {
  return new type('', '').kind
}

async function exportsOf(file: string): Promise<unknown[]> {
  return Object.values((await import(join(workspaceRoot, file))) as Record<string, unknown>)
}

function isSourcePlugin(value: unknown): value is SourcePlugin {
  const { class: name, connector } = (value ?? {}) as Partial<SourcePlugin>
  return typeof name === 'string' && connector?.spec !== undefined
}

/** `npm run docs` writes every generated page. */
if (import.meta.main) {
  for (const { path, text } of await pages()) {
    writeFileSync(join(workspaceRoot, path), text)
    console.log(path)
  }
}
