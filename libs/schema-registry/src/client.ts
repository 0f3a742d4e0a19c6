import { abortable } from '@tributary/async'
import { ConfigError, type Props } from '@tributary/connect-api'
import { Login } from './auth.ts'
import { answered, type Asked, isOutage, isUnsendable, unavailable, untrusted } from './answers.ts'
import { schemaRegistryErrors } from './errors.ts'
import type { RegisteredSchema, SchemaFormat, SchemaReference, SchemaText } from './schema.ts'
import type { ClientSettings } from './keys.ts'
import { readSettings } from './settings.ts'
import { type HttpAnswer, Transport } from './transport.ts'

/**
 * A schema registry with the REST API of Confluent. Each method rejects with RetriableError when the registry is away, DataError for what
 * it refuses or does not have, ConfigError for what the settings do wrong, or the reason of the signal. Nothing is cached; equal requests
 * at the same time are one.
 */
export interface RegistryClient {
  byId(id: number, signal: AbortSignal): Promise<RegisteredSchema>
  latest(subject: string, signal: AbortSignal): Promise<RegisteredSchema>
  version(subject: string, version: number, signal: AbortSignal): Promise<RegisteredSchema>
  /** Registers the schema for the subject, unless the subject has it. */
  register(subject: string, schema: SchemaText, options: LookUpOptions, signal: AbortSignal): Promise<RegisteredSchema>
  /** Finds the schema among those of the subject. */
  lookUp(subject: string, schema: SchemaText, options: LookUpOptions, signal: AbortSignal): Promise<RegisteredSchema>
}

export interface LookUpOptions {
  /** The registry compares schemas in their normal form. */
  readonly normalize: boolean
}

const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json'

/** `props` has the keys of CLIENT_KEYS without the prefix of the converter. Throws ConfigError. */
export function createRegistryClient(props: Props): RegistryClient {
  return new RestClient(readSettings(props))
}

class RestClient implements RegistryClient {
  readonly #urls: readonly URL[]
  readonly #settings: ClientSettings
  readonly #transport: Transport
  readonly #login: Login
  readonly #open = new Map<string, Promise<unknown>>()
  /** The URL that answered last. */
  #at = 0

  constructor(settings: ClientSettings) {
    this.#settings = settings
    this.#urls = settings['schema.registry.url'].map((text) => new URL(text))
    this.#transport = new Transport(settings)
    this.#login = new Login(settings, this.#transport)
  }

  async byId(id: number, signal: AbortSignal): Promise<RegisteredSchema> {
    const what = `Failed to retrieve schema for id ${id}`
    const json = await this.#ask({ what, method: 'GET', path: `schemas/ids/${id}?fetchMaxId=false` }, signal)
    return schemaOf({ ...json, id }, what)
  }

  async latest(subject: string, signal: AbortSignal): Promise<RegisteredSchema> {
    return await this.#version(subject, 'latest', signal)
  }

  async version(subject: string, version: number, signal: AbortSignal): Promise<RegisteredSchema> {
    return await this.#version(subject, String(version), signal)
  }

  async register(
    subject: string,
    schema: SchemaText,
    { normalize }: LookUpOptions,
    signal: AbortSignal,
  ): Promise<RegisteredSchema> {
    const what = `Failed to register the schema of subject ${subject}`
    const path = `subjects/${encodeURIComponent(subject)}/versions?normalize=${normalize}`
    const json = await this.#ask({ what, method: 'POST', path, body: bodyOf(schema) }, signal)
    return schemaOf({ schemaType: schema.format, schema: schema.schema, references: schema.references, ...json }, what)
  }

  async lookUp(
    subject: string,
    schema: SchemaText,
    { normalize }: LookUpOptions,
    signal: AbortSignal,
  ): Promise<RegisteredSchema> {
    const what = `Failed to find the schema of a record in subject ${subject}`
    const path = `subjects/${encodeURIComponent(subject)}?normalize=${normalize}&deleted=false`
    const json = await this.#ask({ what, method: 'POST', path, body: bodyOf(schema) }, signal)
    return schemaOf({ schemaType: schema.format, schema: schema.schema, references: schema.references, ...json }, what)
  }

  async #version(subject: string, version: string, signal: AbortSignal): Promise<RegisteredSchema> {
    const what = `Failed to retrieve version ${version} of subject ${subject}`
    const path = `subjects/${encodeURIComponent(subject)}/versions/${version}`
    return schemaOf(await this.#ask({ what, method: 'GET', path }, signal), what)
  }

  /** A request that several wait for goes on when one of them gives up. */
  async #ask(asked: Asked, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
    const key = `${asked.method} ${asked.path} ${asked.body ?? ''}`
    let open = this.#open.get(key) as Promise<Readonly<Record<string, unknown>>> | undefined
    if (open === undefined) {
      open = this.#request(asked).finally(() => this.#open.delete(key))
      this.#open.set(key, open)
    }
    return await abortable(open, signal)
  }

  async #request(asked: Asked): Promise<Readonly<Record<string, unknown>>> {
    const reasons: string[] = []
    const first = this.#at
    for (let i = 0; i < this.#urls.length; i++) {
      const at = (first + i) % this.#urls.length
      const url = this.#urls[at]!
      let answer: HttpAnswer
      try {
        answer = await this.#send(url, asked)
        // A token may have been withdrawn before its end.
        if (answer.status === 401 && this.#login.forget()) answer = await this.#send(url, asked)
      } catch (error) {
        if (error instanceof ConfigError) throw error
        if (isUnsendable(error)) {
          throw schemaRegistryErrors.SCHEMA_REGISTRY_REFUSED(
            `${asked.what}: HTTP cannot send a header of the request: ${error.message}; see request.header.* and bearer.auth.* of the converter`,
            { cause: error },
          )
        }
        if (untrusted(error)) {
          throw schemaRegistryErrors.SCHEMA_REGISTRY_REFUSED(
            `${asked.what}: the certificate of ${url.host} is not trusted: ${(error as Error).message}; see schema.registry.ssl.truststore.location`,
            { cause: error },
          )
        }
        reasons.push(`${url.host}: ${reasonOf(error)}`)
        continue
      }
      if (isOutage(answer.status)) {
        reasons.push(`${url.host} answered ${answer.status}`)
        continue
      }
      this.#at = at
      return answered(url, asked, answer)
    }
    throw unavailable(asked.what, reasons)
  }

  async #send(base: URL, { method, path, body }: Asked): Promise<HttpAnswer> {
    const url = new URL(base.href)
    const [pathname = '', search = ''] = path.split('?')
    url.pathname = `${base.pathname.replace(/\/$/, '')}/${pathname}`
    url.search = search
    const headers = {
      accept: `${CONTENT_TYPE}, application/json`,
      ...(body === undefined ? {} : { 'content-type': CONTENT_TYPE }),
      ...this.#settings.headers,
      ...(await this.#login.headers(base)),
    }
    return await this.#transport.send({ url, method, headers, ...(body === undefined ? {} : { body }) })
  }
}

function bodyOf({ format, schema, references = [] }: SchemaText): string {
  return JSON.stringify({
    schema,
    // A registry before 5.5 knows Avro alone, and refuses the member.
    ...(format === 'AVRO' ? {} : { schemaType: format }),
    ...(references.length === 0 ? {} : { references }),
  })
}

/** Frames have room for this one. */
const MAX_ID = 0x7fffffff

/** Checks the registry's answer. */
function schemaOf(json: Readonly<Record<string, unknown>>, what: string): RegisteredSchema {
  const { id, schema, schemaType, references, version } = json
  const format = schemaType ?? 'AVRO'
  if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id > MAX_ID || typeof schema !== 'string') {
    throw schemaRegistryErrors.SCHEMA_REGISTRY_REFUSED(
      `${what}: the answer has no id and schema; is schema.registry.url that of a registry?`,
    )
  }
  if (!isFormat(format)) {
    throw schemaRegistryErrors.SCHEMA_INCOMPATIBLE(
      `${what}: schema ${id} is of the type ${JSON.stringify(format).slice(0, 100)}, and only ${FORMATS.join(', ')} are known`,
    )
  }
  return {
    id,
    format,
    schema,
    references: Array.isArray(references) ? references.filter(isReference) : [],
    ...(typeof version === 'number' ? { version } : {}),
  }
}

const FORMATS: readonly unknown[] = ['AVRO', 'PROTOBUF', 'JSON'] satisfies SchemaFormat[]

function isFormat(value: unknown): value is SchemaFormat {
  return FORMATS.includes(value)
}

function isReference(value: unknown): value is SchemaReference {
  const { name, subject, version } = (value ?? {}) as Readonly<Record<string, unknown>>
  return typeof name === 'string' && typeof subject === 'string' && typeof version === 'number'
}

function reasonOf(error: unknown): string {
  // Node collects the failures of all addresses of a name.
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error
  return first instanceof Error ? first.message : String(first)
}
