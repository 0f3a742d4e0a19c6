import assert from 'node:assert/strict'
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it, test } from 'node:test'
import { validateConfig } from '@tributary/config'
import { COMMON_CONNECTOR_KEYS, type Props, SOURCE_CONNECTOR_KEYS, type SourcePlugin, TRIBUTARY_CONNECTOR_KEYS } from '@tributary/connect-api' // prettier-ignore
import { projects, workspaceRoot as root } from './workspace.ts'

const read = (page: string): string => readFileSync(join(root, page), 'utf8')

/** Every page except the generated CONFIG.md. */
const pages = globSync(['*.md', '{apps,deploy,docs,libs,test}/**/*.md'], {
  cwd: root,
  exclude: (path) => /(^|\/)node_modules(\/|$)/.test(path),
}).filter((page) => !page.endsWith('CONFIG.md'))

test('the README has at most 200 lines', () => {
  assert.ok(read('README.md').trimEnd().split('\n').length <= 200)
})

test('docs/README.md links every page of docs', () => {
  const index = read('docs/README.md')
  for (const page of globSync(['*.md', 'security/*.md', 'transforms/*.md'], { cwd: join(root, 'docs') }).filter(
    (name) => name !== 'README.md',
  )) {
    assert.ok(index.includes(`(${page})`), `docs/README.md does not link ${page}`)
  }
})

describe('each decision has a number of its own and says context, decision, consequence, measured by what', () => {
  const names = readdirSync(join(root, 'docs/decisions')).sort()
  for (const name of names) {
    it(name, () => {
      const [, number = ''] = /^(\d{2,3})-[a-z0-9-]+\.md$/.exec(name) ?? []
      const text = read(`docs/decisions/${name}`)
      assert.ok(text.startsWith(`# ${number}. `), `the title begins with "# ${number}. "`)
      assert.equal(names.filter((other) => other.startsWith(`${number}-`)).length, 1)
      const parts = [...text.matchAll(/^\*\*(Context|Decision|Consequence|Measured)\b/gm)].map((part) => part[1])
      assert.deepEqual(parts, ['Context', 'Decision', 'Consequence', 'Measured'])
    })
  }
})

test('docs/README.md says for every decision what its number tells', () => {
  const ranges = [...read('docs/README.md').matchAll(/^\| (\d+) to (\d+) /gm)].map((row) => row.slice(1).map(Number))
  const told = (number: number): boolean => ranges.some(([from, to]) => number >= from! && number <= to!)
  for (const name of readdirSync(join(root, 'docs/decisions'))) assert.ok(told(parseInt(name)), name)
})

/** The anchor of a heading on GitHub: "Where to look" → `where-to-look`. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map((heading) =>
    heading[1]!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

/** @returns the links of a page that lead nowhere. Links to other sites are not followed. */
function deadLinks(page: string, text: string): string[] {
  const links = [...text.replace(/```[^]*?```/g, '').matchAll(/\]\(([^)\s]+)\)/g)].map((link) => link[1]!)
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false
    const [path = '', anchor] = link.split('#')
    const target = path === '' ? page : join(dirname(page), path)
    if (!existsSync(join(root, target))) return true
    return anchor !== undefined && !anchors(target === page ? text : read(target)).includes(anchor)
  })
}

test('every link of every page leads somewhere', () => {
  assert.ok(pages.length > 20)
  assert.deepEqual(pages.flatMap((page) => deadLinks(page, read(page)).map((link) => `${page}: ${link}`)), []) // prettier-ignore
})

test('a link to a missing page, or to a missing heading, would be found', () => {
  const text = '# Here\n[a](docs/gone.md) [b](docs/README.md#decisions) [c](docs/README.md#gone) [d](#here)'
  assert.deepEqual(deadLinks('README.md', text), ['docs/gone.md', 'docs/README.md#gone'])
})

interface Example {
  readonly page: string
  readonly config: Props
}

/** The configurations of connectors in the pages: blocks of JSON, and bodies of curl. */
const examples: readonly Example[] = pages.flatMap((page) =>
  [...read(page).matchAll(/^(?:.* -d ')?\{\n {2}"name": [^]*?^\}/gm)].map(([text]) => ({
    page,
    config: (JSON.parse(text.slice(text.indexOf('{\n'))) as { config: Props }).config,
  })),
)

const plugins = new Map<string, SourcePlugin>()
for (const { folder, manifest } of projects().filter(({ manifest }) => manifest.tributary?.kind === 'source')) {
  const exported = (await import(join(root, folder, manifest.exports!['.']!))) as Record<string, Partial<SourcePlugin>>
  for (const plugin of Object.values(exported)) {
    if (plugin.connector !== undefined) plugins.set(plugin.class!, plugin as SourcePlugin)
  }
}

const frameworkKeys = { ...COMMON_CONNECTOR_KEYS, ...SOURCE_CONNECTOR_KEYS, ...TRIBUTARY_CONNECTOR_KEYS }

/** @returns the keys that neither the source nor the framework knows, and the errors of the other keys. */
function mistakes(config: Props): string[] {
  const spec = plugins.get(config['connector.class'] ?? '')?.connector.spec
  if (spec === undefined) return [`no source has the class ${config['connector.class']}`]
  const known = (key: string): boolean =>
    key in spec.keys || key in frameworkKeys || Object.keys(spec.prefixes ?? {}).some((prefix) => key.startsWith(prefix)) // prettier-ignore
  const unknown = Object.keys(config).filter((key) => !known(key))
  const { values } = validateConfig(spec, config, { deferReferences: true })
  return [...unknown.map((key) => `unknown: ${key}`), ...values.flatMap(({ errors }) => errors)]
}

test('every source accepts its configurations in the pages', () => {
  assert.ok(new Set(examples.map(({ config }) => config['connector.class'])).size >= 3)
  assert.deepEqual(examples.flatMap(({ page, config }) => mistakes(config).map((text) => `${page}: ${text}`)), []) // prettier-ignore
})

test('every source accepts the examples of its keys', () => {
  const refused = [...plugins.values()].flatMap(({ connector: { spec } }) =>
    Object.entries(spec.keys).flatMap(([key, { example }]) => {
      if (example === undefined) return []
      const { values } = validateConfig({ keys: { [key]: spec.keys[key]! } }, { [key]: example }, { deferReferences: true }) // prettier-ignore
      return values.flatMap(({ errors }) => errors)
    }),
  )
  assert.deepEqual(refused, [])
})

test('a misspelt key and a missing one would be found', () => {
  const config = { 'connector.class': 'io.tributary.connect.sse.SseSourceConnector', 'sse.uri': 'http://a', 'kafka.topic': 'a' } // prettier-ignore
  const found = mistakes(config)
  assert.ok(found.includes('unknown: sse.uri'))
  assert.ok(
    found.some((text) => text.includes('sse.url')),
    found.join('\n'),
  )
})
