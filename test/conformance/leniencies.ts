import { TRIBUTARY_CONNECTOR_KEYS } from '@tributary/connect-api'
import { messageOf } from './comparable.ts'
import { type Difference } from './differences.ts'
import type { Answer } from '../support/rest-call.ts'

/**
 * Differences that operators' runbooks need: requests that Kafka Connect refuses or does not carry out.
 * `connect.strict=true` switches all of them off.
 */
export const LENIENCIES = {
  wrappedConfig: {
    why: 'A file written for POST, `{name, config}`, that is sent to PUT config is unwrapped; Connect answers 500.',
    holds: (connect, ours) => connect.status === 500 && (ours.status === 200 || ours.status === 201),
  },
  wrappedName: {
    why: 'A wrapped config of another connector is refused with the text for a name that does not fit; Connect answers 500.',
    holds: (connect, ours) =>
      connect.status === 500 && ours.status === 400 && messageOf(ours.body).includes("doesn't match connector name"),
  },
  flatCreate: {
    why: 'A file saved from GET config, a flat map, is taken by POST as well, with the name in it: this one exists; Connect answers 500.',
    holds: (connect, ours) => connect.status === 500 && ours.status === 409,
  },
  misspeltKey: {
    why: 'Validate lists a key that is nearly a known one, with that key as recommended value; Connect says nothing of it.',
    holds: (_connect, ours) => {
      const { configs } = ours.body as { configs: { definition: unknown; value: { recommended_values: string[] } }[] }
      return configs.some(({ definition, value }) => definition === null && value.recommended_values.length === 1)
    },
  },
  commentedNumber: {
    why: 'Documents have a comment behind tasks.max, which is left out; Connect refuses the value.',
    holds: (connect, ours) => errorsOf(connect, 'tasks.max').length > 0 && errorsOf(ours, 'tasks.max').length === 0,
  },
  partialConfig: {
    why: 'PUT config without connector.class merges into the config of an existing connector and answers the whole; Connect answers 400.',
    holds: (connect, ours) =>
      connect.status === 400 &&
      messageOf(connect.body).endsWith('contains no connector type') &&
      ours.status === 200 &&
      'config' in (ours.body as object),
  },
  failedTaskRestarted: {
    why: 'A restart without parameters restarts failed tasks too, which is what operators mean by it; in Connect they stay FAILED.',
    holds: (connect, ours) => states(connect).includes('FAILED') && !states(ours).includes('FAILED'),
  },
  moreKeys: {
    why: "The framework's own settings beyond Connect's are described and validated.",
    holds: (connect, ours) => {
      const { body } = ours
      if (Array.isArray(body)) return alike(connect.body, body.filter(isConnectKey))
      const { configs, groups, ...rest } = body as Validated
      const { configs: connectConfigs, groups: connectGroups, ...connectRest } = connect.body as Validated
      const kept = configs.filter(({ definition }) => definition === null || isConnectKey(definition))
      return (
        alike(connectConfigs, kept) &&
        alike(connectRest, rest) &&
        connectGroups.every((group) => groups.includes(group))
      )
    },
  },
} as const satisfies Record<string, Difference>

export type LeniencyName = keyof typeof LENIENCIES

interface Validated {
  readonly configs: readonly { readonly definition: { readonly name: string } | null }[]
  readonly groups: readonly string[]
}

function isConnectKey({ name }: { name: string }): boolean {
  return !(name in TRIBUTARY_CONNECTOR_KEYS)
}

function alike(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

/** The errors of a key in an answer of validate. */
function errorsOf({ body }: Answer, key: string): readonly string[] {
  const { configs } = body as { configs: { value: { name: string; errors: string[] } }[] }
  return configs.find(({ value }) => value.name === key)?.value.errors ?? []
}

/** The states of a status answer: the connector's and its tasks'. */
function states({ body }: Answer): unknown[] {
  const { connector, tasks } = body as { connector: { state: string }; tasks: { state: string }[] }
  return [connector, ...tasks].map(({ state }) => state)
}
