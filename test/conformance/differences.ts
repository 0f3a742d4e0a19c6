import { messageOf } from './comparable.ts'
import type { Answer } from '../support/rest-call.ts'

/**
 * Where an answer of Tributary may differ from Kafka Connect's, and why. A step of the script names the difference that
 * it shows. A step that names none must be answered alike, a step that names one must show it, and a difference that no
 * step shows fails the test, too.
 */
export interface Difference {
  readonly why: string
  /** Whether these two answers differ in this way and in no other. */
  readonly holds: (connect: Answer, ours: Answer) => boolean
  /** Connect answers so in some runs only, for a reason that is not known: no run must show it. */
  readonly sometimes?: true
}

/**
 * Differences in both modes: a mistake of the client is answered with 400, requests that end in a race or a dead end in
 * Connect are answered correctly here, and a secret is not shown.
 */
export const DIFFERENCES = {
  clientMistake: {
    why: 'Connect answers 500 to a body that it cannot read; a mistake of the client is 400, with a text that says what to do.',
    holds: (connect, ours) => refused(connect, ours) && /\w{3}/.test(message(ours)),
  },
  refusedByConnector: {
    why: 'What a connector finds wrong with offsets is a mistake of the client too: 400 instead of 500, in its words.',
    holds: (connect, ours) => refused(connect, ours) && message(ours).includes(message(connect)),
  },
  unknownClass: {
    why: 'An unknown class is a mistake of the client too: 400 instead of 500; the text, which kcctl looks for, is the same up to the list of plugins, which are not the same.',
    holds: (connect, ours) => refused(connect, ours) && message(connect).includes(upToList(ours)),
  },
  nullOfOwnKey: {
    why: "Connect takes a null for a connector's own key, and the connector fails when it starts, with a ClassCastException; a null is an error on every key.",
    holds: (connect, ours) =>
      errorTexts(connect).length === 0 &&
      errorTexts(ours).join() === 'topic: Null value can not be supplied as the configuration value.',
  },
  referenceShown: {
    why: 'A value that holds ${…} is shown as it was sent, not as what it stands for, which may be a secret; the errors are the same.',
    holds: (connect, ours) => errorTexts(connect).join('\n') === errorTexts(ours).join('\n'),
  },
  missingPattern: {
    why: "Connect reports a missing regular expression a second time by Java's NullPointerException; here a sentence says so.",
    holds: (connect, ours) => {
      const cut = (answer: Answer): string[] =>
        errorTexts(answer).map((text) => text.replace(/(?<=: Invalid value null ).*$/, ''))
      return JSON.stringify(cut(connect).toSorted()) === JSON.stringify(cut(ours).toSorted())
    },
  },
  foundBeforeStart: {
    why: 'What a transform cannot be made with, and a predicate that is not defined, is an error of the configuration; Connect takes it, and each task fails when it starts, with this text.',
    holds: (connect, ours) => errorTexts(connect).length === 0 && errorTexts(ours).length === 1,
  },
  restartOfStoppedTask: {
    why: 'Connect answers 409 for good, as if a rebalance were on; a stopped connector has no such task, and that is said: 404.',
    holds: (connect, ours) => connect.status === 409 && message(ours).startsWith('Unknown task: '),
  },
  bracesInName: {
    why: 'Connect makes the connector, and then answers 500, as its Location cannot hold a brace.',
    holds: (connect, ours) => connect.status === 500 && ours.status === 201,
  },
  restartOfPaused: {
    why: 'After a restart with its tasks a paused connector may say RESTARTING for good in Connect; here it is paused again.',
    sometimes: true,
    holds: (connect, ours) => JSON.stringify(ours) === JSON.stringify(connect).replace('RESTARTING', 'PAUSED'),
  },
} as const satisfies Record<string, Difference>

export type DifferenceName = keyof typeof DIFFERENCES

/** The answer is 400 instead of 500, and otherwise alike except for the text. */
function refused(connect: Answer, ours: Answer): boolean {
  const { contentType, location, body } = ours
  const { error_code: code } = body as { error_code?: number }
  return (
    connect.status === 500 &&
    ours.status === 400 &&
    code === 400 &&
    contentType === connect.contentType &&
    location === connect.location
  )
}

/** The values of a validate answer, in the order of the settings. */
function errorTexts({ body }: Answer): string[] {
  const { configs } = body as { configs: { value: { name: string; errors: string[] } }[] }
  return configs.flatMap(({ value }) => value.errors.map((text) => `${value.name}: ${text}`))
}

function message(answer: Answer): string {
  return messageOf(answer.body)
}

function upToList(answer: Answer): string {
  return message(answer).split('PluginDesc', 1)[0]!
}
