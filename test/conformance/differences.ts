import { COMMON_CONNECTOR_KEYS, SOURCE_CONNECTOR_KEYS } from '@tributary/connect-api'
import type { Answer } from './rest-call.ts'

/**
 * Where an answer of ours may differ from Kafka Connect's, and why. A step of the script names the difference that it
 * shows; one that names none must be answered alike, and one that names a difference must show it.
 */
export interface Difference {
  readonly why: string
  /** Whether these two answers differ in this way and in no other. */
  readonly holds: (connect: Answer, ours: Answer) => boolean
}

export const DIFFERENCES = {
  clientMistake: {
    why: 'Connect answers 500 to a body that it cannot read; a mistake of the client is 400, with a text that says what to do.',
    holds: (connect, ours) => connect.status === 500 && ours.status === 400 && /\w{3}/.test(message(ours)),
  },
  unknownClass: {
    why: 'An unknown class is a mistake of the client too: 400 instead of 500; the text, which kcctl looks for, is the same up to the list of plugins, which are not the same.',
    holds: (connect, ours) =>
      connect.status === 500 && ours.status === 400 && message(connect).includes(upToList(ours)),
  },
  unknownConverter: {
    why: 'A class that is not there is shown with its name, and with the ones that there are.',
    holds: (connect, ours) => {
      const [theirs, own] = [errorTexts(connect), errorTexts(ours)]
      return theirs.length === own.length && own.every((text, i) => text.startsWith(theirs[i]!))
    },
  },
  nullOfOwnKey: {
    why: "Connect takes a null for a connector's own key at validation, and the task fails when it starts; a null is an error on every key.",
    holds: (connect, ours) => connect.status === 201 && message(ours).includes('Null value can not be supplied'),
  },
  badPath: {
    why: 'Jetty refuses a path that cannot be decoded with a page of HTML; ours is JSON like every other error.',
    holds: (connect, ours) => connect.status === 400 && ours.status === 400 && message(ours) === 'HTTP 400 Bad Request',
  },
  optionsBody: {
    why: 'The body of OPTIONS repeats the Allow header as text; ours is empty.',
    holds: (connect, ours) => connect.status === ours.status && connect.allow === ours.allow && ours.body === null,
  },
  rootLoggers: {
    why: 'The loggers below root are those of the JVM there and ours here.',
    holds: (connect, ours) => [connect, ours].every(({ status, body }) => status === 200 && Array.isArray(body)),
  },
  classesToChoose: {
    why: 'The transformations and predicates that there are to choose from are not the same.',
    holds: (connect, ours) => {
      const rest = (answer: Answer): string =>
        JSON.stringify(answer, (key, value: unknown) => (key === 'recommended_values' ? [] : value))
          // The words of the documentation are ours, as for all settings of the framework.
          .replace(/"documentation":"[^"]*"/g, '')
      return rest(connect) === rest(ours)
    },
  },
  referenceShown: {
    why: 'A value that holds ${…} is shown as it was sent, not as what it stands for, which may be a secret; the errors are the same.',
    holds: (connect, ours) => errorTexts(connect).join('\n') === errorTexts(ours).join('\n'),
  },
  restartOfStoppedTask: {
    why: 'Connect answers 409 for good, as if a rebalance were on; a stopped connector has no such task, and that is said: 404.',
    holds: (connect, ours) => connect.status === 409 && message(ours).startsWith('Unknown task: '),
  },
  version: {
    why: 'The commit is that of another program.',
    holds: (connect, ours) => {
      const { commit: theirs, ...connectRest } = connect.body as Record<string, string>
      const { commit, ...rest } = ours.body as Record<string, string>
      return theirs !== commit && JSON.stringify(connectRest) === JSON.stringify(rest)
    },
  },
} as const satisfies Record<string, Difference>

export type DifferenceName = keyof typeof DIFFERENCES

/**
 * What is taken out of both answers before they are compared, because it cannot be the same or says nothing:
 *
 * - host and port in `Location` and `worker_id`
 * - the Content-Type of unmatched requests, which Connect sends only sometimes
 * - the order of names, of Allow's methods, and of a Java map or set printed into a message
 * - the documentation of the framework's keys, which is ours in our words
 * - stack traces, of which only the presence counts, and times
 */
export function comparable(answer: Answer): Answer {
  const unmatched = /^HTTP 4/.test(message(answer)) || (answer.status === 404 && answer.body === null)
  return {
    status: answer.status,
    contentType: unmatched ? null : answer.contentType,
    location: answer.location === null ? null : answer.location.replace(/^https?:\/\/[^/]+/, ''),
    allow: answer.allow === null ? null : answer.allow.split(',').sort().join(','),
    body: comparableValue(answer.body),
  }
}

function comparableValue(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => comparableValue(item))
    return items.every((item) => typeof item === 'string') ? items.sort() : items
  }
  if (typeof value === 'string') return comparableText(value, key)
  if (typeof value !== 'object' || value === null) return key === 'last_modified' && value !== null ? '<time>' : value
  const framework = isFrameworkKey((value as { name?: unknown }).name)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(
    entries.map(([name, item]) => [
      name,
      name === 'documentation' && framework ? '<ours>' : comparableValue(item, name),
    ]),
  )
}

function comparableText(text: string, key: string): string {
  if (key === 'worker_id') return '<worker>'
  if (key === 'trace') return '<trace>'
  return text
    .replace(/(?<=^Connector config \{).*(?=\} contains)/, inOrder)
    .replace(/(?<=one of \(case insensitive\): ).*$/, inOrder)
}

function inOrder(list: string): string {
  return list.split(', ').sort().join(', ')
}

function isFrameworkKey(name: unknown): boolean {
  return typeof name === 'string' && (name in SOURCE_CONNECTOR_KEYS || name in COMMON_CONNECTOR_KEYS)
}

/** Of a validate answer, in the order of the settings. */
function errorTexts({ body }: Answer): string[] {
  const { configs } = body as { configs: { value: { name: string; errors: string[] } }[] }
  return configs.flatMap(({ value }) => value.errors.map((text) => `${value.name}: ${text}`))
}

function message(answer: Answer): string {
  return (answer.body as { message?: string } | null)?.message ?? ''
}

function upToList(answer: Answer): string {
  return message(answer).split('PluginDesc', 1)[0]!
}
