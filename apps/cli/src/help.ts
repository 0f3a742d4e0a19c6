import type { Command } from 'commander'

/** Headings of `tributary --help`, with their commands. A command under none is listed last. */
const GROUPS: readonly [heading: string, names: readonly string[]][] = [
  ['Look', ['list', 'status', 'health', 'get', 'history', 'diff', 'plugins', 'tail']],
  ['Change', ['create', 'apply', 'delete', 'rollback', 'offsets', 'migrate']],
  ['Run', ['pause', 'resume', 'stop', 'restart']],
  ['Try first', ['validate', 'preview', 'plan']],
  ['Dead letters', ['dlq list', 'dlq show', 'dlq stats', 'dlq replay', 'dlq replays', 'dlq …']],
  ['Server', ['login', 'logout', 'version', 'completion']],
]

/** The first page: every command by its name, the options of all, and what a command ends with. At most 24 lines of 80 characters. */
export function rootHelp(program: Command): string {
  const known = new Set(program.commands.map((command) => command.name()))
  const grouped = new Set(GROUPS.flatMap(([, names]) => names.map((name) => name.split(' ', 1)[0])))
  const others = [...known].filter((name) => !grouped.has(name) && !name.startsWith('_'))
  const rows = GROUPS.map(([heading, names]) => [
    heading,
    names.filter((name) => known.has(name.split(' ', 1)[0]!)).join(', '),
  ])
  if (others.length > 0) rows.push(['Other', others.join(', ')])
  return `tributary <command>: operates Tributary and Kafka Connect.

${rows.map(([heading, names]) => `  ${heading!.padEnd(14)}${names}`).join('\n')}

${SHARED}
Ends with 0 done, 1 failed, 2 wrong use, 3 not found, 4 not allowed,
5 no server, 6 differs or waited in vain. More: \`tributary <command> --help\`.
`
}

const SHARED = `Options of every command:
  -o, --output <form>  table, json, yaml or name
  --server <url>       or TRIBUTARY_SERVER; else http://localhost:8083
  --profile <name>     or TRIBUTARY_PROFILE; see \`login\`. Or: TRIBUTARY_TOKEN
  --ca, --cert, --key <file>  PEM files; --timeout <seconds> of a request
`
