import { type BodyReader, bodyReader } from '@tributary/converters/body'
import type { Props } from '@tributary/connect-api'
import type { SqsSettings } from '../settings/read.ts'
import type { Content, Converted, DataMaker } from './content.ts'
import { registryConverter } from './registry-converter.ts'
import { RegistryData } from './registry-data.ts'

/**
 * The maker that the settings ask for: the converter with a schema registry that the classes of message converters end in, or that of
 * `value.format=json`; null: the value stays text. Uses no network. `changed`: see RegistryData. Throws ConfigError.
 */
export function dataMaker(
  settings: SqsSettings,
  props: Props,
  changed: ((what: string) => void) | null = null,
): DataMaker | null {
  const named = registryConverter(settings)
  if (named !== null) return new RegistryData(named, settings, props, changed)
  const body = bodyReader(settings, props)
  return body === null ? null : new BodyData(body, settings['kafka.topic'])
}

class BodyData implements DataMaker {
  readonly #body: BodyReader
  readonly #topic: string
  #connected = false

  constructor(body: BodyReader, topic: string) {
    this.#body = body
    this.#topic = topic
  }

  make(content: Content, signal: AbortSignal): Converted | Promise<Converted> {
    if (this.#connected) return this.#read(content)
    return this.#body.connect(signal).then(() => {
      this.#connected = true
      return this.#read(content)
    })
  }

  #read(content: Content): Converted {
    const { schema, value } = this.#body.read(content, this.#topic)
    return { value, valueSchema: schema }
  }
}
