import { parseJson, parseKeyValueList } from '@tributary/config'
import { ConfigError, type FieldError } from '@tributary/connect-api'
import type { SequenceRange } from '@tributary/push-source'
import { elementTexts } from '../record/json-elements.ts'
import { compilePath, type JsonPath, namesOfPath } from '../record/json-path.ts'
import type { WebSocketConfig } from '../spec.ts'
import { compileTemplate, type Template } from '../template.ts'
import { AnswerError, httpGet } from './http-get.ts'

/** What the gaps of one batch may cost together. */
export interface Budget {
  /** Aborts when the time is over, or the task has none left. */
  readonly signal: AbortSignal
  /** Bytes of answers that may still be read. */
  bytes: number
}

const NAMES = ['from', 'to', 'stream']

/** Asks a server for missing messages. */
export class Backfill {
  readonly #url: Template
  readonly #headers: readonly [string, string][]
  readonly #read: JsonPath
  readonly #names: readonly string[]

  /** Throws ConfigError. */
  constructor(config: WebSocketConfig) {
    this.#url = urlTemplate(config['backfill.url'] ?? '')
    this.#headers = headersOf(config['backfill.headers'] ?? '')
    this.#read = compilePath(config['backfill.items.field'])
    this.#names = namesOfPath(config['backfill.items.field'])
  }

  /**
   * The texts of the messages that the server answers for a range, each as it stands in the answer; they may be fewer, others,
   * and in any order. Throws AnswerError, or the signal's reason.
   */
  async fetch({ from, to }: SequenceRange, stream: string | null, budget: Budget): Promise<string[]> {
    const values: Readonly<Record<string, string>> = { from: String(from), to: String(to), stream: stream ?? '' }
    const url = this.#url.render((name) => encodeURIComponent(values[name]!))
    const text = await httpGet(url, this.#headers, budget.bytes, budget.signal)
    budget.bytes -= Buffer.byteLength(text)
    return this.#itemsOf(text)
  }

  #itemsOf(text: string): string[] {
    let json: unknown
    try {
      json = parseJson(text)
    } catch (cause) {
      throw new AnswerError('the answer is not JSON', true, { cause })
    }
    const items = Array.isArray(this.#read(json)) ? elementTexts(text, this.#names) : null
    if (items === null) throw new AnswerError('the answer has no array at backfill.items.field', false)
    return items
  }
}

/** What fetch would refuse is refused here, as the text of its errors holds the URL. */
function urlTemplate(text: string): Template {
  const key = 'backfill.url'
  const invalid = (reason: string): ConfigError =>
    new ConfigError('BACKFILL_URL', `Invalid ${key}: ${reason}`, { field: key })
  const template = compileTemplate(text, key)
  const unknown = template.names.find((name) => !NAMES.includes(name))
  if (unknown !== undefined) throw invalid(`{{${unknown}}} is unknown; there are ${NAMES.join(', ')}`)
  const url = URL.parse(template.render(() => '1'))
  if (url === null) throw invalid('it is no URL')
  if (url.username !== '' || url.password !== '') throw invalid('user and password belong into backfill.headers')
  return template
}

function headersOf(text: string): [string, string][] {
  const headers = parseKeyValueList(text)
  for (const [name, value] of headers) {
    try {
      new Headers([[name, value]])
    } catch {
      // Its text holds the value.
      throw new ConfigError('BACKFILL_HEADER', 'Invalid backfill.headers: a name or a value that no header may have', {
        field: 'backfill.headers',
      })
    }
  }
  return headers
}

/** What the declared checks cannot tell of the backfill, each on its key. */
export function backfillErrors(config: WebSocketConfig): FieldError[] {
  if (!config['backfill.url']) return []
  try {
    new Backfill(config)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return [{ field: error.field ?? 'backfill.url', message: error.message }]
  }
}
