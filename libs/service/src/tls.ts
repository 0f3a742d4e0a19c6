import { createHash, X509Certificate } from 'node:crypto'
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { createSecureContext, type SecureContextOptions, type TlsOptions } from 'node:tls'
import { ConfigException, type SecretLike, type ValuesOf } from '@tributary/config'
import type { Logger } from '@tributary/telemetry'
import type { tlsSettings } from './settings.ts'

export type TlsValues = ValuesOf<typeof tlsSettings>

/** The part of a server of node:tls or node:https that takes new certificates. */
interface SecureServer {
  setSecureContext(options: SecureContextOptions): void
  once(event: 'close', listener: () => void): unknown
}

/** The time between two looks at the files, in ms. Mounted secrets are replaced by links, which file events miss. */
const LOOK_MS = 5000
const MAX_BYTES = 1 << 20
/** A client that does not finish its handshake in this time, in ms, is disconnected. */
const HANDSHAKE_MS = 10_000
const PEM = '-----BEGIN '
const KEYS = ['tls.cert', 'tls.key', 'tls.ca'] as const
type Key = (typeof KEYS)[number]
type Pem = Readonly<Record<Key, string | null>>

/**
 * The certificates of a process: those with which its servers answer, and those with which it asks other processes. The files are
 * read again when they change. New files that cannot be used leave the earlier ones in use, and `trouble` says so.
 */
export class Tls {
  readonly #values: TlsValues
  readonly #log: Logger
  readonly #servers = new Set<SecureServer>()
  #pem: Pem
  /** The digest of files that could not be used; null: the files are in use. */
  #refused: string | null = null
  #trouble: string | null = null
  readonly #timer: NodeJS.Timeout

  private constructor(values: TlsValues, pem: Pem, log: Logger) {
    this.#values = values
    this.#pem = pem
    this.#log = log
    this.#timer = setInterval(() => void this.look(), LOOK_MS).unref()
  }

  /** null: neither a certificate nor a CA is set. Throws ConfigException for files that cannot be used. */
  static load(values: TlsValues, log: Logger): Tls | null {
    if (KEYS.every((key) => source(values, key) === null)) {
      if (values['tls.client.auth'] === 'none') return null
    }
    for (const [key, other] of [
      ['tls.cert', 'tls.key'],
      ['tls.key', 'tls.cert'],
    ] as const) {
      if (source(values, key) !== null && source(values, other) === null)
        refuse(other, 'null', `${key} is set, and one needs the other`)
    }
    if (values['tls.client.auth'] !== 'none' && (values['tls.ca'] === null || values['tls.cert'] === null)) {
      refuse(
        'tls.client.auth',
        values['tls.client.auth'],
        'it needs tls.cert, tls.key, and in tls.ca the CA of the clients',
      )
    }
    const pem = pemOf(KEYS.map((key) => readNow(key, source(values, key))))
    const wrong = unusable(pem, passphrase(values))
    if (wrong) refuse(wrong.key, shown(values, wrong.key), wrong.reason)
    return new Tls(values, pem, log)
  }

  /** Whether servers of this process answer by https. */
  get serves(): boolean {
    return this.#pem['tls.cert'] !== null
  }

  /** Whether a client may show a certificate, and is asked for one. */
  get asksClients(): boolean {
    return this.serves && this.#values['tls.client.auth'] !== 'none'
  }

  /** Why changed files are not in use, in a sentence; null while there are none. */
  get trouble(): string | null {
    return this.#trouble
  }

  /** For the servers of node:https. TLS 1.2 is the least. */
  serverOptions(): TlsOptions {
    const auth = this.#values['tls.client.auth']
    return {
      ...this.#context(),
      requestCert: auth !== 'none',
      rejectUnauthorized: auth === 'required',
      handshakeTimeout: HANDSHAKE_MS,
    }
  }

  /** For requests to other processes: their certificates must be signed by `tls.ca`, or without it by a CA that Node knows. */
  clientOptions(): SecureContextOptions {
    return this.#context()
  }

  /** Gives `server` each new certificate until it closes. */
  follow(server: SecureServer): void {
    this.#servers.add(server)
    server.once('close', () => this.#servers.delete(server))
  }

  /** Reads the files now. It is called every five seconds. */
  async look(): Promise<void> {
    try {
      const pem = pemOf(await Promise.all(KEYS.map((key) => read(key, source(this.#values, key)))))
      if (KEYS.every((key) => pem[key] === this.#pem[key])) return this.#recovered()
      const wrong = unusable(pem, passphrase(this.#values))
      if (wrong) return this.#refuse(digest(pem), `${wrong.key}: ${wrong.reason}`)
      this.#pem = pem
      for (const server of this.#servers) server.setSecureContext(this.#context())
      this.#log.info('tls_files_read', { valid_to: validTo(pem) })
      this.#recovered()
    } catch (error) {
      this.#refuse(String(error), (error as Error).message)
    }
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #recovered(): void {
    this.#refused = this.#trouble = null
  }

  /** Certificate and key are two files, and one is written before the other, so the second look at the same files counts. */
  #refuse(files: string, reason: string): void {
    const again = this.#refused === files
    this.#refused = files
    if (!again || this.#trouble !== null) return
    this.#trouble = 'The TLS files have changed and cannot be used, so the earlier ones stay in use. The log says why.'
    this.#log.error('tls_files_refused', { reason, advice: 'mend the files; the earlier ones stay in use until then' })
  }

  #context(): SecureContextOptions {
    const { 'tls.cert': cert, 'tls.key': key, 'tls.ca': ca } = this.#pem
    const phrase = passphrase(this.#values)
    return {
      minVersion: 'TLSv1.2',
      ...(cert !== null && key !== null && { cert, key }),
      ...(phrase !== undefined && { passphrase: phrase }),
      ...(ca !== null && { ca }),
    }
  }
}

function source(values: TlsValues, key: Key): string | null {
  const value: string | SecretLike | null = values[key]
  return value === null || typeof value === 'string' ? value : value.reveal()
}

/** The value as a message may show it: a path, and never a key. */
function shown(values: TlsValues, key: Key): string {
  const value = source(values, key) ?? 'null'
  return value.startsWith(PEM) ? '[PEM text]' : value
}

function passphrase(values: TlsValues): string | undefined {
  return values['tls.key.password']?.reveal()
}

function pemOf([cert = null, key = null, ca = null]: readonly (string | null)[]): Pem {
  return { 'tls.cert': cert, 'tls.key': key, 'tls.ca': ca }
}

function readNow(key: Key, from: string | null): string | null {
  if (from === null || from.startsWith(PEM)) return from
  let file: number | undefined
  try {
    file = openSync(from, 'r')
    const stats = fstatSync(file)
    checkFile(from, stats.isFile(), stats.size)
    return readFileSync(file, 'utf8')
  } catch (error) {
    return refuse(key, from, (error as Error).message)
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

async function read(key: Key, from: string | null): Promise<string | null> {
  if (from === null || from.startsWith(PEM)) return from
  try {
    await using file = await open(from, 'r')
    const stats = await file.stat()
    checkFile(from, stats.isFile(), stats.size)
    return await file.readFile('utf8')
  } catch (error) {
    throw new Error(`${key}: ${(error as Error).message}`, { cause: error })
  }
}

function checkFile(path: string, isFile: boolean, size: number): void {
  if (!isFile) throw new Error(`${path} is no regular file`)
  if (size > MAX_BYTES) throw new Error(`${path} has ${size} bytes; a PEM file has at most ${MAX_BYTES}`)
}

/** Why the files cannot be used together; null: they can. */
function unusable(pem: Pem, phrase: string | undefined): { readonly key: Key; readonly reason: string } | null {
  const { 'tls.cert': cert, 'tls.key': key, 'tls.ca': ca } = pem
  for (const [name, text] of [
    ['tls.cert', cert],
    ['tls.ca', ca],
  ] as const) {
    try {
      if (text !== null) for (const each of certificatesIn(text)) void new X509Certificate(each)
    } catch (error) {
      return { key: name, reason: `it holds no certificate in PEM (${(error as Error).message})` }
    }
  }
  try {
    if (cert !== null && key !== null)
      createSecureContext({ cert, key, ...(phrase !== undefined && { passphrase: phrase }) })
    return null
  } catch (error) {
    return {
      key: 'tls.key',
      reason: `it is no key in PEM for the certificate of tls.cert (${(error as Error).message})`,
    }
  }
}

/**
 * The certificates of a bundle; the whole text if there are none. OpenSSL reads up to the first that it cannot read, as in a file
 * that is half written, and says nothing.
 */
function certificatesIn(text: string): string[] {
  const found = text.split(/(?=-----BEGIN )/).filter((part) => part.startsWith('-----BEGIN CERTIFICATE-----'))
  return found.length > 0 ? found : [text]
}

function validTo({ 'tls.cert': cert }: Pem): string | undefined {
  return cert === null ? undefined : new X509Certificate(cert).validTo
}

function digest(pem: Pem): string {
  return createHash('sha256').update(JSON.stringify(pem)).digest('base64url')
}

function refuse(key: string, value: string, reason: string): never {
  const message = `Invalid value ${value} for configuration ${key}: ${reason}`
  throw new ConfigException(message, [{ name: key, message }])
}
