import assert from 'node:assert/strict'
import {
  canonicalJson,
  ConfigException,
  KeyValueListError,
  parseJson,
  parseKeyValueList,
  parseProperties,
  resolveReferences,
  stringifyJson,
  validateConfig,
} from '@tributary/config'
import { hideSecrets, redact } from '@tributary/telemetry'
import { CANARY, corpus, jsonCorpus, listCorpus, propertiesCorpus, spec } from './config.corpus.ts'
import { fuzzTargets, mutateJson, mutateProps, mutateText } from './driver.ts'
import type { Progress, Random, Report, Stage, Target } from './driver.ts'

type Props = Record<string, string | null>

/** The errors of the first stage, which parses each value to its type. */
const FIRST_STAGE =
  /Not a number of type|Expected value to be either|Missing required configuration "|Null value can not|Value must be between -9007199254740991/

/** The log cuts values at this length, so redaction gets no longer ones. */
const LOG_VALUE_LENGTH = 4096

/** The beginning of every error of a setting. The rest depends on the validator. */
const CLEAR = /^(Invalid value |Missing required configuration|Null value can not |Class .* could not be found)/s

const SECRET = /^(password|key|metadata|metadata\..*)$/s

/** Whether a mutation has put the canary into a setting that is no secret. An answer may show it there. */
function isMoved(props: Props): boolean {
  return Object.entries(props).some(
    ([name, value]) => name.includes(CANARY) || (value?.includes(CANARY) && !SECRET.test(name)),
  )
}

/** Validation and parsing of a connector's settings. A test can replace `validate` by one with a planted bug. */
export function settingsTarget(validate: typeof validateConfig = validateConfig): Target<Props> {
  return {
    name: 'settings',
    generate: (random) => repeat(random, random.pick(corpus) as Props, (props) => mutateProps(random, props)),
    run(props) {
      const answer = validate(spec.data, props)
      const errors = answer.values.flatMap((value) => value.errors)
      assert.equal(answer.errorCount, errors.length)
      if (!isMoved(props)) assert.ok(!JSON.stringify(answer).includes(CANARY), 'a secret is in the answer')
      for (const error of errors) assert.match(error, CLEAR)
      assert.equal(parses(props), errors.length === 0, 'parse and validate disagree')
      validate(spec.data, props, { deferReferences: true })
      return errors.some((error) => FIRST_STAGE.test(error)) ? 'refused' : 'past'
    },
    show: (props) => JSON.stringify(props),
  }
}

function parses(props: Props): boolean {
  try {
    spec.parse(props)
    return true
  } catch (error) {
    if (!(error instanceof ConfigException)) throw error
    if (!isMoved(props)) assert.ok(!error.message.includes(CANARY), 'a secret is in the error')
    return false
  }
}

/** JSON of REST bodies and internal topics. */
export const jsonTarget: Target<string> = {
  name: 'json',
  generate(random) {
    const value = repeat(random, parseJson(random.pick(jsonCorpus)), (v) => mutateJson(random, v))
    const text = stringifyJson(value)
    return random.chance(0.3) ? mutateText(random, text) : text
  },
  run: (text) =>
    stage(SyntaxError, () => {
      const value = parseJson(text)
      // Compared as text: 1e20 is a number, and its written form is an integer that is parsed to a bigint.
      const written = stringifyJson(value)
      assert.equal(stringifyJson(parseJson(written)), written)
      const canonical = canonicalJson(value)
      assert.equal(canonicalJson(parseJson(canonical)), canonical)
      parseJson(text, { numbers: 'text' })
      assert.deepEqual(parseJson(stringifyJson(parseJson(text, { numbers: 'raw' }))), value)
    }),
  show: (text) => JSON.stringify(text),
}

/** Properties files with secrets, and references to these in settings. */
export const propertiesTarget: Target<string> = {
  name: 'properties',
  generate: (random) => repeat(random, random.pick(propertiesCorpus), (text) => mutateText(random, text)),
  run: async (text) => {
    const found = await resolveReferences({ k: text.replaceAll(/\$\{(file|dir|directory|env):/g, '${none:') }, {})
    assert.deepEqual(found.secrets, [])
    const literal = text.replaceAll('${', '$ {')
    assert.equal((await resolveReferences({ k: literal }, {})).props['k'], literal)
    return stage(SyntaxError, () => {
      const end = hideSecrets(parseProperties(text).values())
      redact(text.slice(0, LOG_VALUE_LENGTH))
      end()
    })
  },
  show: (text) => JSON.stringify(text),
}

/** Lists in the form `k1:v1,k2:v2`. */
export const listTarget: Target<string> = {
  name: 'key-value-list',
  generate: (random) => repeat(random, random.pick(listCorpus), (text) => mutateText(random, text)),
  run: (text) =>
    stage(KeyValueListError, () => {
      for (const [key, value] of parseKeyValueList(text)) {
        assert.ok(key.charCodeAt(0) > 0x20 && key.charCodeAt(key.length - 1) > 0x20, 'a key is trimmed and not empty')
        assert.ok(text.length >= key.length + value.length)
      }
    }),
  show: (text) => JSON.stringify(text),
}

/** Runs `iterations` inputs over all targets of the config parser. */
export function fuzz(iterations: number, seed: number, progress?: Progress): Promise<Report> {
  return fuzzTargets([settingsTarget(), jsonTarget, propertiesTarget, listTarget], iterations, seed, {
    ...(progress && { progress }),
  })
}

/** A clear error of the first stage is a refusal; any other error is a finding. */
function stage(clear: abstract new () => Error, run: () => void): Stage {
  try {
    run()
    return 'past'
  } catch (error) {
    if (error instanceof clear) return 'refused'
    throw error
  }
}

/** Mutates an input, mostly once, sometimes several times or not at all. */
function repeat<T>(random: Random, start: T, mutate: (value: T) => T): T {
  let value = start
  for (let rounds = random.pick([0, 1, 1, 1, 1, 2, 3]); rounds > 0; rounds--) value = mutate(value)
  return value
}
