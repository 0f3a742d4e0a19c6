import { sharedKafka } from '@tributary/harness'
import test from 'node:test'
import { Comparison, type Step } from './both-sides.ts'
import { CREATION_ERRORS } from './rest/creation-errors.ts'
import { HTTP_LAYER } from './rest/http-layer.ts'
import { configLifecycle, stateLifecycle } from './rest/lifecycle.ts'
import { type LinesFile, linesFile } from './rest/lines-file.ts'
import { clusterLevels, LOGGERS } from './rest/loggers.ts'
import { MISSING_CONNECTOR } from './rest/missing-connector.ts'
import { specialNames } from './rest/names.ts'
import { offsets } from './rest/offsets.ts'
import { PLUGINS, VALIDATE } from './rest/plugins.ts'
import { races } from './rest/races.ts'
import { references } from './rest/references.ts'
import { failures, restarts } from './rest/restarts.ts'
import { TRANSFORMS } from './rest/transforms.ts'
import { startSides } from './sides.ts'

/** Single requests that can be compared whatever the state of the tasks. */
const REQUESTS: Readonly<Record<string, readonly Step[]>> = {
  'the HTTP layer': HTTP_LAYER,
  'creation errors': CREATION_ERRORS,
  'a connector that is not there': MISSING_CONNECTOR,
  plugins: PLUGINS,
  validate: VALIDATE,
  transforms: TRANSFORMS,
  loggers: LOGGERS,
}

type Scenario = (comparison: Comparison, lines: LinesFile, brokers: readonly string[]) => Promise<void>

/** Scenarios of several steps. */
const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'levels of a whole cluster': clusterLevels,
  'names of all kinds': specialNames,
  configurations: configLifecycle,
  references,
  states: stateLifecycle,
  offsets,
  restarts,
  failures,
  races,
}

test('the REST API answers as Kafka Connect does', { timeout: 400_000 }, async (t) => {
  const { brokers } = await sharedKafka()
  const comparison = new Comparison(await startSides(t))

  for (const [name, steps] of Object.entries(REQUESTS)) {
    await t.test(name, async (t) => {
      for (const step of steps) {
        const body = step.body === undefined ? '' : ` ${JSON.stringify(step.body)}`
        await t.test(`${step.method} ${step.path}${body}`, () => comparison.steps(step))
      }
    })
  }
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    await t.test(name, async (t) => {
      const lines = await linesFile(t)
      try {
        await scenario(comparison, lines, brokers)
      } finally {
        await comparison.clear()
      }
    })
  }
  await t.test('every listed difference still exists', (t) => comparison.report(t))
})
