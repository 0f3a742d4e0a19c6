import { createConverter } from '@tributary/converters'
import { BodyReader, type BodySettings, legalName, registeredSchema, registryProps } from '@tributary/converters/body'
import {
  ConfigError,
  ConnectError,
  type Converter,
  errorKind,
  type Header,
  NotReadyError,
  type Props,
  type Schema,
  STRING_SCHEMA,
} from '@tributary/connect-api'
import { subjectStrategy } from '@tributary/schema-registry'
import { sqsErrors } from '../errors.ts'
import type { SqsSettings } from '../settings/read.ts'
import type { Content, Converted, DataMaker } from './content.ts'
import type { RegistryConverter } from './registry-converter.ts'

/** The latest version of a subject is asked for again after this long. */
const LATEST_MS = 60_000

/** How values are written from now on. */
interface Writing {
  /** null: the record keeps its struct, which the connector's own `value.converter` writes. */
  readonly converter: Converter | null
  readonly body: BodyReader
  /** What is tried when the converter asks the registry, in the words of the JVM connector. */
  readonly asks: string
  /** Monotonic ms after which it is decided again. */
  readonly until: number
}

/**
 * AvroMessageConverter, ProtobufMessageConverter and JsonSchemaMessageConverter: the JSON of the body as a struct, by the schema of
 * `value.schema.id`, by the latest one of the subject, or by an inferred one. The struct is written with the registry at once, unless
 * the connector or the worker has a `value.converter` that writes structs.
 */
export class RegistryData implements DataMaker {
  readonly #named: RegistryConverter
  readonly #settings: SqsSettings
  readonly #props: Props
  readonly #topic: string
  readonly #subject: string
  readonly #registry: Props
  readonly #encodes: boolean
  readonly #headers: readonly Header[]
  readonly #changed: ((what: string) => void) | null
  readonly #now: () => number
  #writing: Writing | null

  /**
   * `props` has the worker's converters where the connector sets none. `changed`: nothing is registered, as this is a preview; it
   * gets what would be. Throws ConfigError. `now` in ms, monotonic.
   */
  constructor(
    named: RegistryConverter,
    settings: SqsSettings,
    props: Props,
    changed: ((what: string) => void) | null = null,
    now = (): number => performance.now(),
  ) {
    this.#named = named
    this.#settings = settings
    this.#props = props
    this.#changed = changed
    this.#now = now
    this.#topic = settings['kafka.topic']
    this.#registry = registrySettings(named, props)
    this.#subject = subjectStrategy(settings['schema.subject.name.strategy'])(
      this.#topic,
      false,
      this.#name(this.#topic),
    )
    this.#encodes = createConverter('value.converter', props, false).keepsBytes === true
    this.#headers = [{ name: 'sqs.schema.type', value: named.type, schema: STRING_SCHEMA }]
    const inferred = settings['value.schema.id'] === null && !settings['schema.use.latest.version']
    this.#writing = inferred
      ? this.#writingOf(null, `Failed to register schema for subject ${this.#subject}`, Infinity)
      : null
    // Checks the settings of the registry before the first message.
    if (!inferred) this.#converter({})
  }

  make(content: Content, signal: AbortSignal): Converted | Promise<Converted> {
    const writing = this.#writing
    if (writing === null || this.#now() >= writing.until)
      return this.#choose(signal).then((w) => this.#write(w, content, signal))
    return this.#write(writing, content, signal)
  }

  #write({ body, converter, asks }: Writing, content: Content, signal: AbortSignal): Converted | Promise<Converted> {
    const { schema, value } = body.read(content, this.#topic)
    const headers = this.#headers
    if (converter === null) return { value, valueSchema: schema, headers }
    const encoded = this.#encode(converter, schema, value, asks, signal)
    return encoded instanceof Promise
      ? encoded.then((bytes) => ({ value: bytes, headers }))
      : { value: encoded, headers }
  }

  #encode(
    converter: Converter,
    schema: Schema | null,
    value: unknown,
    asks: string,
    signal: AbortSignal,
  ): Bytes | Promise<Bytes> {
    try {
      return converter.fromConnectData(this.#topic, schema, value)
    } catch (error) {
      if (!(error instanceof NotReadyError)) throw error
      const { ready } = error
      return ready(signal).then(
        () => this.#encode(converter, schema, value, asks, signal),
        (cause: unknown) => this.#explain(asks, cause, signal),
      )
    }
  }

  /** Asks the registry for the schema of `value.schema.id`, or for the latest one. */
  async #choose(signal: AbortSignal): Promise<Writing> {
    const id = this.#settings['value.schema.id']
    const what =
      id === null
        ? `Failed to fetch latest schema for subject ${this.#subject}`
        : `Failed to fetch schema with ID ${id}`
    try {
      const wanted = id === null ? { subject: this.#subject } : { id }
      const chosen = await registeredSchema(wanted, this.#registry, signal)
      this.#writing = this.#writingOf(chosen, what, id === null ? this.#now() + LATEST_MS : Infinity)
    } catch (error) {
      signal.throwIfAborted()
      // The messages are good, and would all become dead letters.
      if (error instanceof ConnectError && error.kind === 'data')
        throw sqsErrors.SQS_SCHEMA(`${what}: ${error.message}`, { cause: error })
      // The version before is still right enough while the registry is away.
      if (this.#writing === null || errorKind(error) !== 'retriable') this.#explain(what, error, signal)
      this.#writing = { ...this.#writing, until: this.#now() + LATEST_MS }
    }
    return this.#writing
  }

  #writingOf(chosen: { readonly schema: Schema; readonly id: number } | null, asks: string, until: number): Writing {
    const { 'value.schema.infer.max.schemas': most, 'value.schema.unknown.fields': unknown } = this.#settings
    const settings = { ...INFERRING, 'value.schema.infer.max.schemas': most, 'value.schema.unknown.fields': unknown }
    const body = new BodyReader(
      settings,
      {},
      {
        objectsOnly: true,
        legalNames: this.#named.legalNames,
        numbered: this.#named.type === 'Protobuf',
        inferredName: (topic) => this.#name(topic),
      },
    )
    if (chosen !== null) body.use(chosen.schema)
    const { 'schema.auto.register': register } = this.#settings
    const by = chosen === null ? { 'auto.register.schemas': String(register) } : writesWith(chosen.id, this.#named)
    const converter = this.#converter(by)
    return { body, converter: this.#encodes ? converter : null, asks, until }
  }

  #converter(more: Props): Converter {
    const settings = {
      ...this.#registry,
      'value.subject.name.strategy': this.#settings['schema.subject.name.strategy'],
      ...more,
    }
    const entries = Object.entries(clientProps(settings)).map(([key, value]) => [`value.converter.${key}`, value])
    const props = { ...(Object.fromEntries(entries) as Props), 'value.converter': this.#named.valueConverter }
    try {
      const converter = createConverter('value.converter', props, false)
      if (this.#changed !== null) converter.readOnly?.(this.#changed)
      return converter
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      const key = error.field?.slice('value.converter.'.length) ?? 'url'
      const field = key.startsWith(PREFIX) ? key : PREFIX + key
      throw sqsErrors.SQS_SCHEMA(error.message, { field, cause: error })
    }
  }

  #name(topic: string): string {
    return `${this.#named.namespace}${legalName(topic)}_value`
  }

  /** Throws the error with what was tried, in the words of the JVM connector. A registry that is away stays an outage. */
  #explain(what: string, error: unknown, signal: AbortSignal): never {
    signal.throwIfAborted()
    if (!(error instanceof ConnectError)) throw error
    const message = `${what}: ${error.message}`
    switch (error.kind) {
      case 'retriable':
        throw sqsErrors.SQS_SCHEMA_REGISTRY_AWAY(message, { cause: error })
      case 'data':
        throw sqsErrors.SQS_SCHEMA_REFUSED(message, { cause: error })
      default:
        throw error
    }
  }
}

type Bytes = Uint8Array | null

const INFERRING = {
  'value.format': 'json',
  'value.schema': null,
  'value.schema.subject': null,
  'value.schema.infer': true,
} as const satisfies Partial<BodySettings>

/** The schema is the one by which the body was read, so its parts fit. What else a JSON Schema demands is checked. */
function writesWith(id: number, { type }: RegistryConverter): Props {
  const byId = { 'auto.register.schemas': 'false', 'use.schema.id': String(id), 'id.compatibility.strict': 'false' }
  return type === 'JSON Schema' ? { ...byId, 'json.fail.invalid.schema': 'true' } : byId
}

const PREFIX = 'schema.registry.'

/** The settings of the registry's client under the keys of a converter. */
function clientProps(settings: Props): Props {
  const client = registryProps(settings)
  const others = Object.entries(settings).filter(([key]) => !key.startsWith(PREFIX))
  return { ...client, ...Object.fromEntries(others) }
}

/** What the configuration says of the registry. As in the JVM connector the source of the login counts only with a login. */
function registrySettings({ type }: RegistryConverter, props: Props): Props {
  const given = Object.entries(props).filter(([key, value]) => key.startsWith(PREFIX) && value.trim() !== '')
  const settings = Object.fromEntries(given)
  if (settings['schema.registry.url'] === undefined) {
    throw sqsErrors.SQS_SCHEMA(`Schema Registry URL is required for ${type} converter`, {
      field: 'schema.registry.url',
    })
  }
  const { 'schema.registry.basic.auth.credentials.source': source = 'USER_INFO', ...others } = settings
  if (settings['schema.registry.basic.auth.user.info'] === undefined) return others
  return { ...others, 'schema.registry.basic.auth.credentials.source': source }
}
