import type { S3Client } from '@aws-sdk/client-s3'
import type { ValuesOf } from '@tributary/config'
import { type Logger, oncePer } from '@tributary/telemetry'
import { sqsErrors } from '../errors.ts'
import type { SqsMessage } from '../message.ts'
import {
  AVRO_CONVERTER,
  CLAIM_CHECK_CONVERTER,
  type conversionKeys,
  DECOMPRESSING_CLAIM_CHECK_CONVERTER,
  DECOMPRESSING_CONVERTER,
  DEFAULT_CONVERTER,
  FIELD_EXTRACTOR_CONVERTER,
  JSON_SCHEMA_CONVERTER,
  MESSAGE_CONVERTERS,
  PROTOBUF_CONVERTER,
} from '../settings/conversion.ts'
import { asText, type Converted, type DataMaker } from './content.ts'
import type { DecompressOptions, Format } from './decompress.ts'
import { FieldPath } from './field.ts'
import { ObjectReader } from './object-reader.ts'
import {
  claimCheckStep,
  decompressingClaimCheckStep,
  decompressStep,
  extractStep,
  inTurn,
  type Step,
  then,
  unwrap,
  type Work,
} from './steps.ts'

/** Converts the bodies of messages. A promise comes only for what is fetched from S3, and for large compressed data. */
export interface MessageConverter {
  /**
   * Throws DataError for a message that is bad for good, RetriableError for an outage of S3, and ConfigError when S3 refuses the
   * credentials. Rejects with the signal's reason when it aborts.
   */
  convert(message: SqsMessage, signal: AbortSignal): Converted | Promise<Converted>
}

/** The keys that decide about the conversion, as `readSettings` gives them. */
export type ConversionSettings = ValuesOf<typeof conversionKeys>

export interface ConverterParts {
  /** The client of S3, which is asked for with the first object. */
  readonly s3: () => Promise<S3Client>
  /** Gets a line, at most every 10 s, about messages that a converter had to pass unchanged. */
  readonly log?: Pick<Logger, 'warn'>
  /** Makes data of the text; null: it stays text. */
  readonly data?: DataMaker | null
}

const UNCHANGED_LOG_MS = 10_000

/** Makes the converter that the settings name. Throws ConfigError SQS_CONVERTER, with the key as its field; uses no network. */
export function createConverter(settings: ConversionSettings, parts: ConverterParts): MessageConverter {
  const steps = new Steps(settings, parts).all()
  const { data = null } = parts
  // Most messages pass as they are, at no cost.
  if (steps.length === 0) {
    return { convert: ({ body }, signal) => (data === null ? { value: body } : data.make(body, signal)) }
  }
  const run = inTurn(steps)
  return {
    convert({ body, attributes }, signal) {
      const work: Work = { signal, envelopes: 0, attributes: null }
      const converted = then(run(body, work), (content): Converted | Promise<Converted> =>
        data === null ? { value: asText(content) } : data.make(content, signal),
      )
      return then(converted, (made) => ({
        ...made,
        ...(work.attributes !== null && { attributes: { ...attributes, ...work.attributes } }),
      }))
    },
  }
}

/** The steps of a configuration. */
class Steps {
  readonly #settings: ConversionSettings
  readonly #objects: ObjectReader
  readonly #unchanged: (why: string) => void

  constructor(settings: ConversionSettings, { s3, log }: ConverterParts) {
    this.#settings = settings
    this.#objects = new ObjectReader(s3, settings['message.claimcheck.max.bytes'])
    const line = oncePer(UNCHANGED_LOG_MS)
    this.#unchanged = (why) => {
      const suppressed = log === undefined ? null : line(why)
      if (suppressed !== null)
        log?.warn('message_unchanged', { converter: settings['message.converter.class'], reason: why, suppressed })
    }
  }

  /** Envelopes are taken off before each step and at the end: one may be around a pointer, and another within the object. */
  all(): Step[] {
    const settings = this.#settings
    const kinds = settings['message.unwrap.envelopes']
    const main = this.#of('message.converter.class', [])
    const envelopes = kinds.length === 0 ? [] : [unwrap(kinds, settings['message.unwrap.depth.max'])]
    const field = settings['message.output.field.extract']
    const failOnMissing = settings['message.output.field.extract.failOnMissing']
    return [
      ...envelopes,
      ...main.flatMap((step) => [step, ...envelopes]),
      ...(field === null || field === '' ? [] : [extractStep(new FieldPath(field), failOnMissing)]),
    ]
  }

  /** The steps of the converter that a key names, and of those that it delegates to. */
  #of(key: ClassKey, before: readonly string[]): Step[] {
    const name = this.#settings[key]
    if (before.includes(name)) this.#refuse(key, `delegates in a circle: ${[...before, name].join(', ')}`)
    const delegate = (next: ClassKey): Step[] => this.#of(next, [...before, name])
    switch (name) {
      case DEFAULT_CONVERTER:
        return []
      case DECOMPRESSING_CONVERTER:
        return [
          decompressStep(this.#decompressionPath(), this.#decompression(), this.#unchanged),
          ...delegate('message.decompression.delegate.converter.class'),
        ]
      case CLAIM_CHECK_CONVERTER:
        return [
          claimCheckStep(this.#claimCheckPaths(), this.#objects, this.#objectDecompression(), this.#unchanged),
          ...delegate('message.claimcheck.delegate.converter.class'),
        ]
      case DECOMPRESSING_CLAIM_CHECK_CONVERTER:
        return [
          decompressingClaimCheckStep(
            this.#decompressionPath() ?? this.#claimCheckPaths()[0] ?? null,
            this.#objects,
            this.#decompression(),
            this.#unchanged,
          ),
          ...delegate('message.decompression.delegate.converter.class'),
        ]
      case FIELD_EXTRACTOR_CONVERTER:
        if (!this.#settings['message.output.field.extract']) this.#refuse(key, 'needs message.output.field.extract')
        return []
      case AVRO_CONVERTER:
      case PROTOBUF_CONVERTER:
      case JSON_SCHEMA_CONVERTER:
        // The DataMaker does their work, behind all steps.
        return []
      default:
        return this.#refuse(key, `there is no such message converter; there are ${MESSAGE_CONVERTERS.join(', ')}`)
    }
  }

  #refuse(key: ClassKey, why: string): never {
    throw sqsErrors.SQS_CONVERTER(`Invalid value ${this.#settings[key]} for configuration ${key}: ${why}`, {
      field: key,
    })
  }

  #decompressionPath(): FieldPath | null {
    const path = this.#settings['message.decompression.field.path']
    return path === null || path === '' ? null : new FieldPath(path)
  }

  /** Several paths have commas between them. */
  #claimCheckPaths(): FieldPath[] {
    const paths = (this.#settings['message.claimcheck.field.path'] ?? '').split(',').map((path) => path.trim())
    return paths.filter((path) => path !== '').map((path) => new FieldPath(path))
  }

  #decompression(): DecompressOptions {
    const settings = this.#settings
    return {
      format: settings['message.decompression.format'].toUpperCase() as Format,
      base64: settings['message.decompression.base64.decode'],
      maxBytes: settings['message.decompression.max.bytes'],
    }
  }

  #objectDecompression(): DecompressOptions | null {
    const settings = this.#settings
    if (!settings['message.claimcheck.decompress.enabled']) return null
    return {
      format: settings['message.claimcheck.compression.format'].toUpperCase() as Format,
      base64: settings['message.claimcheck.base64.decode'],
      maxBytes: settings['message.decompression.max.bytes'],
    }
  }
}

type ClassKey =
  | 'message.converter.class'
  | 'message.decompression.delegate.converter.class'
  | 'message.claimcheck.delegate.converter.class'
