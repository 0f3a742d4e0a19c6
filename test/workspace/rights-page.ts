import { join } from 'node:path'
import { workspaceRoot } from './workspace.ts'

/** What the page needs of `/openapi.json`. */
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { 'x-right': string; summary: string }>>>>
}

const INTRO = `# Who may do what

\`npm run docs\` writes this page from the routes of the control plane, each of which declares its right. While authentication is off,
everybody has every right.

An identity has grants, written \`role[+configs][+records][:pattern]\`: \`viewer\`, \`operator:orders-*\`,
\`viewer+configs:orders-*\`. The pattern is of names of connectors (\`*\` any characters, \`?\` one); without a pattern a grant is for all connectors. Rights add up.

| grant | view | configs | records | operate | alter | administer |
| --- | --- | --- | --- | --- | --- | --- |
| \`viewer\` | yes | | | | | |
| \`operator\` | yes | | | yes | | |
| \`…+configs\` | | yes | | | | |
| \`…+records\` | | | yes | | | |
| \`admin-configs\` | yes | secrets masked | yes | yes | yes | |
| \`admin\` | yes | yes | yes | yes | yes | without a pattern |

- A path that names a connector needs the right for that name, whether or not such a connector exists; so does a new connector. Other
  paths need the right for some connector, and show or change the connectors that the caller has the right for.
- Without \`configs\`, a connector's \`config\` has only its name and class: \`GET /connectors\`, \`/connectors/{connector}\` and \`…/tasks\`
  keep the shapes of Kafka Connect, which clients need to show states. \`…/config\` and \`…/tasks-config\` answer 403.
- \`records\` shows keys, values and headers of records: those of dead letters, and those of a live tail. Fields whose names
  \`records.mask.fields\` lists are \`[hidden]\` for everybody.
- \`admin-configs\` is for what deploys connectors and need not read secrets. It sees \`[hidden]\` in place of every value that a spec
  declares secret, that no spec knows, or whose name or text looks like a secret. Sent back, \`[hidden]\` keeps the stored value. Callers
  who do not see the secrets may keep one only if they change nothing else: send every secret with a change, best as a
  \`\${file:…}\` reference.

| request | right | what it does |
| --- | --- | --- |
`

/** The page of all routes with their rights. */
export async function rightsPage(): Promise<string> {
  const testing = 'apps/control-plane/src/testing/test-api.ts'
  const { testApi } = (await import(join(workspaceRoot, testing))) as {
    testApi(): { operators(method: string, path: string): Promise<{ body: unknown }> }
  }
  const { paths } = (await testApi().operators('GET', '/openapi.json')).body as Document
  const rows = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { 'x-right': right, summary }]) => {
      return `| \`${method.toUpperCase()} ${path}\` | ${right} | ${summary} |`
    }),
  )
  return `${INTRO}${rows.join('\n')}\n`
}
