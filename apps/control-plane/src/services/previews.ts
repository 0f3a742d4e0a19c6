import { ConfigException, connectFrame } from '@tributary/config'
import type { FieldError } from '@tributary/connect-api'
import type { PluginEntry, PluginStore } from '@tributary/connect-storage'
import type { RecordMask, ShownRecord } from '../access/record-mask.ts'
import { restError } from '../http/rest-errors.ts'
import type { SentConfig } from '../http/body.ts'
import { type ConfigValidator, isConnector, mustBeValid } from './config-validator.ts'
import { type Checked, DeadlyConfigs, keyOf, MAX_DEATHS } from './deadly-configs.ts'
import type { Workers } from './workers.ts'

/** Previews at a time by this replica. A worker has a bound of its own. */
const MAX_AT_ONCE = 4
/** What a worker needs beside the seconds of the preview, in ms: to resolve references before, and to leave the source afterwards. */
const AROUND_MS = 20_000

export interface PreviewTerms {
  /** The connector whose offsets the preview starts from; null: none. */
  readonly connector: string | null
  readonly config: SentConfig
  /** The configuration is sent, and not stored: it is validated first. */
  readonly candidate: boolean
  readonly task: number
  readonly records: number
  readonly seconds: number
  readonly force: boolean
  /** Whether the caller may know of a connector. */
  readonly maySee: (connector: string) => boolean
}

/** What a worker answers; see libs/connect-runtime/src/preview/answer.ts. */
type Outcome =
  | { readonly preview: { readonly records: readonly PreviewRecord[] } }
  | { readonly disturbs: { readonly connectors: readonly string[]; readonly why: string } }
  | { readonly errors: readonly FieldError[] }
  | { readonly failed: 'busy' | 'unreached' | 'slow' | 'bug'; readonly message: string }

interface PreviewRecord {
  readonly polled: ShownRecord
  readonly transforms: readonly { readonly record?: ShownRecord }[]
  readonly written?: ShownRecord
  readonly dead_letter?: ShownRecord
}

type Asked = Awaited<ReturnType<Workers['preview']>>

/** Lets workers make previews, a few at a time. */
export class Previews {
  readonly #plugins: PluginStore
  readonly #validator: ConfigValidator
  readonly #workers: Workers
  readonly #mask: RecordMask
  readonly #deadly = new DeadlyConfigs()
  #underWay = 0

  constructor(options: { plugins: PluginStore; validator: ConfigValidator; workers: Workers; mask: RecordMask }) {
    this.#mask = options.mask
    this.#plugins = options.plugins
    this.#validator = options.validator
    this.#workers = options.workers
  }

  /** Rejects with ConfigException and RestError, and with the reason of `gone`. */
  async run(terms: PreviewTerms, gone: AbortSignal): Promise<object> {
    if (this.#underWay >= MAX_AT_ONCE) {
      throw restError('previewBusy', `${MAX_AT_ONCE} previews are under way already. Try again in some seconds`)
    }
    this.#underWay++
    try {
      const plugin = this.#plugin(terms.config)
      if (terms.candidate) mustBeValid(await this.#validator.validate(terms.config, gone))
      return outcomeOf(await this.#ask(plugin, terms, gone), terms, this.#mask)
    } finally {
      this.#underWay--
    }
  }

  #plugin(config: SentConfig): PluginEntry {
    const name = config['connector.class']
    if (name === undefined || name === null) throw restError('noConnectorType', config)
    const plugin = this.#plugins.find(name)
    if (plugin !== null && isConnector(plugin)) return plugin
    throw restError('unknownClass', name, this.#plugins.plugins().filter(isConnector))
  }

  /** A configuration that ends its worker again and again is given to no further one. */
  async #ask(plugin: PluginEntry, terms: PreviewTerms, gone: AbortSignal): Promise<Outcome> {
    const { connector, config, task, records, seconds, force } = terms
    const body = { connector, config, task, records, seconds, force }
    const ask = async (): Promise<Checked<{ readonly asked: Asked } | { readonly error: unknown }>> => {
      try {
        const asked = await this.#workers.preview(plugin, body, seconds * 1000 + AROUND_MS, gone)
        return { value: { asked }, died: asked !== null && 'how' in asked && asked.how === 'ended' }
      } catch (error) {
        return { value: { error }, died: false }
      }
    }
    const found = await this.#deadly.run(keyOf(plugin.class, config as Readonly<Record<string, string>>), ask)
    if (found === null) throw restError('previewRefused', MAX_DEATHS)
    if ('error' in found) throw found.error
    const { asked } = found
    if (asked === null) throw restError('previewNoWorker', plugin.service)
    if ('answer' in asked) return asked.answer as Outcome
    throw restError(asked.how === 'ended' ? 'previewWorkerEnded' : 'previewWorkerSilent', asked.worker)
  }
}

function outcomeOf(outcome: Outcome, { maySee }: PreviewTerms, mask: RecordMask): object {
  if ('preview' in outcome)
    return { ...outcome.preview, records: outcome.preview.records.map((one) => masked(one, mask)) }
  if ('disturbs' in outcome) {
    const { connectors, why } = outcome.disturbs
    const shown = connectors.filter(maySee)
    throw restError('previewDisturbs', shown, connectors.length - shown.length, why)
  }
  if ('errors' in outcome) {
    const problems = outcome.errors.map(({ field, message }) => ({ name: field, message }))
    throw new ConfigException(connectFrame(problems), problems)
  }
  const { failed, message } = outcome
  if (failed === 'busy') throw restError('previewBusy', message)
  if (failed === 'unreached') throw restError('previewSourceAway', message)
  throw restError(failed === 'slow' ? 'previewSourceSlow' : 'previewFailed', message)
}

function masked(record: PreviewRecord, mask: RecordMask): PreviewRecord {
  const { polled, transforms, written, dead_letter: letter } = record
  return {
    ...record,
    polled: mask.record(polled),
    transforms: transforms.map((step) => (step.record ? { ...step, record: mask.record(step.record) } : step)),
    ...(written && { written: mask.record(written) }),
    ...(letter && { dead_letter: mask.record(letter) }),
  }
}
