import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { type Keys, readRegularFile, type Rule, type ValuesOf } from '@tributary/config'
import { ConfigError } from '@tributary/connect-api'
import type { Logger } from '@tributary/telemetry'
import { pushSourceErrors } from '../errors.ts'
import type { OptionalPasswordKey, OptionalStringKey } from './key-types.ts'

type TlsKeys<P extends string> = Readonly<
  Record<`${P}.tls.${'ca.cert' | 'client.cert' | 'client.key'}`, OptionalStringKey> &
    Record<`${P}.tls.client.key.password`, OptionalPasswordKey>
>

/** The keys `<prefix>.tls.*`, their rules, and `settings`, which reads them. Certificates and key are PEM files or PEM text. */
export function tlsSettings<P extends string>(prefix: P, group = 'TLS') {
  const keys = {
    [`${prefix}.tls.ca.cert` as const]: {
      type: 'string',
      default: null,
      importance: 'medium',
      group,
      displayName: 'CA certificates',
      doc: 'Path of a PEM file, or PEM text, with the CA certificates to trust. The task reads the file again on each connect. Unset: the certificates that come with Node.js.',
    },
    [`${prefix}.tls.client.cert` as const]: {
      type: 'string',
      default: null,
      importance: 'low',
      group,
      displayName: 'Client certificate',
      doc: "Path of a PEM file, or PEM text, with the client's certificate chain, for mutual TLS.",
    },
    [`${prefix}.tls.client.key` as const]: {
      type: 'string',
      default: null,
      importance: 'low',
      group,
      displayName: 'Client key',
      sensitive: true,
      doc: "Path of a PEM file, or PEM text, with the private key of the client's certificate: PKCS#8, PKCS#1 or SEC1. The key may be encrypted.",
    },
    [`${prefix}.tls.client.key.password` as const]: {
      type: 'password',
      default: null,
      importance: 'low',
      group,
      displayName: 'Password of the client key',
      doc: 'Password of the client key, if the key is encrypted.',
    },
  } satisfies Keys as TlsKeys<P>
  const certKey = `${prefix}.tls.client.cert`
  const keyKey = `${prefix}.tls.client.key`
  const rules: readonly Rule[] = [
    {
      rule: 'requires',
      key: certKey,
      needs: [keyKey],
      message: `A client certificate needs its private key: set ${keyKey} too`,
    },
    {
      rule: 'requires',
      key: keyKey,
      needs: [certKey],
      message: `A private key needs its certificate: set ${certKey} too`,
    },
  ]
  const settings = (config: ValuesOf<TlsKeys<P>>): TlsSettings => {
    const values = config as Readonly<Record<string, string & { reveal(): string }>>
    const text = (key: string): TlsSetting => ({ key, value: values[key] ?? null })
    const password = `${prefix}.tls.client.key.password`
    return {
      caCert: text(`${prefix}.tls.ca.cert`),
      clientCert: text(certKey),
      clientKey: text(keyKey),
      clientKeyPassword: { key: password, value: values[password]?.reveal() ?? null },
    }
  }
  return { keys, rules, settings }
}

/** One TLS setting: the key, for errors, and the value. */
export interface TlsSetting {
  readonly key: string
  /** null or blank: not set. */
  readonly value: string | null
}

/** The TLS settings of a source. Certificates and key are paths of PEM files, or PEM text. */
export interface TlsSettings {
  /** Certificates to trust; not set: those of Node.js. */
  readonly caCert: TlsSetting
  /** The client's certificate chain for mutual TLS. Ignored without a key. */
  readonly clientCert: TlsSetting
  readonly clientKey: TlsSetting
  readonly clientKeyPassword: TlsSetting
}

/**
 * Reads and checks the files and settings of TLS. Throws ConfigError for the wrong key: an unreadable file, no PEM, a wrong
 * password, or the private key of another certificate. Throws the signal's reason.
 */
export async function readTls(settings: TlsSettings, signal?: AbortSignal): Promise<SecureContextOptions> {
  const { caCert, clientCert, clientKey, clientKeyPassword } = settings
  const ca = await readTlsFile(caCert, 'certificate', signal)
  const cert = await readTlsFile(clientCert, 'certificate', signal)
  const key = await readTlsFile(clientKey, 'key', signal)
  if (ca !== null) certificate(ca, caCert.key)
  if (cert === null || key === null) return ca === null ? {} : { ca }

  const secret = clientKeyPassword.value === null ? {} : { passphrase: clientKeyPassword.value }
  const privateKey = privateKeyOf(key, secret, settings)
  if (!certificate(cert, clientCert.key).checkPrivateKey(privateKey)) {
    throw invalid(clientKey.key, `the private key is not the one of the certificate in ${clientCert.key}`)
  }
  const options = { ...(ca === null ? {} : { ca }), cert, key, ...secret }
  try {
    createSecureContext(options)
  } catch (error) {
    throw invalid(clientCert.key, (error as Error).message, error)
  }
  return options
}

/** The options for a host to which a server has redirected: without the client's certificate, which names the client. */
export function withoutClientCertificate<T extends SecureContextOptions>({
  cert: _,
  key: __,
  passphrase: ___,
  ...rest
}: T) {
  return rest
}

/** The errors of the settings: all unreadable files, or else the first other error. Throws the signal's reason. */
export async function checkTls(settings: TlsSettings, signal?: AbortSignal): Promise<ConfigError[]> {
  const files = [
    readTlsFile(settings.caCert, 'certificate', signal),
    readTlsFile(settings.clientCert, 'certificate', signal),
    readTlsFile(settings.clientKey, 'key', signal),
  ]
  const errors = (await Promise.allSettled(files)).flatMap((file) =>
    file.status === 'rejected' ? [configError(file.reason)] : [],
  )
  if (errors.length > 0) return errors
  try {
    await readTls(settings, signal)
    return []
  } catch (error) {
    return [configError(error)]
  }
}

/** Rethrows any other error. */
function configError(error: unknown): ConfigError {
  if (error instanceof ConfigError) return error
  throw error
}

async function readTlsFile({ key, value }: TlsSetting, what: string, signal?: AbortSignal): Promise<string | null> {
  const text = value?.trim()
  if (!text) return null
  // Secret stores return the text itself. No path begins with this.
  if (text.startsWith('-----BEGIN')) return text
  try {
    return (await readRegularFile(text, { signal })).toString('utf8')
  } catch (error) {
    signal?.throwIfAborted()
    const reason = (error as Error).message
    throw pushSourceErrors.TLS_FILE(`Cannot read TLS ${what} ${text}: ${reason}`, { field: key, cause: error })
  }
}

function certificate(text: string, key: string): X509Certificate {
  try {
    return new X509Certificate(text)
  } catch (error) {
    throw invalid(key, 'it does not contain a PEM certificate', error)
  }
}

function privateKeyOf(
  text: string,
  secret: { passphrase?: string },
  { clientKey, clientKeyPassword }: TlsSettings,
): ReturnType<typeof createPrivateKey> {
  try {
    return createPrivateKey({ key: text, ...secret })
  } catch (error) {
    if (!text.includes('ENCRYPTED')) throw invalid(clientKey.key, 'it does not contain a PEM private key', error)
    const reason =
      secret.passphrase === undefined
        ? 'the client key is encrypted, its password is missing'
        : 'the password does not open the client key'
    throw invalid(clientKeyPassword.key, reason, error)
  }
}

function invalid(field: string, reason: string, cause?: unknown): ConfigError {
  return pushSourceErrors.TLS_INVALID(`Invalid value for configuration ${field}: ${reason}`, { field, cause })
}

/** Node's error codes for untrusted certificates (tls, "X509 certificate error codes"). */
const UNTRUSTED = /CERT|SIGNATURE|SELF_SIGNED|CRL|HOSTNAME_MISMATCH/

/** Whether a connect failed because the certificate of the server is not trusted, or belongs to another host. */
export function isUntrusted(error: unknown): boolean {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' && UNTRUSTED.test(code)
}

/**
 * TLS options that are read again before each connect, so that a renewed certificate is used. A file may be unreadable during its
 * renewal. Then the options read before are used, and a warning is logged (`tls_files_unreadable`).
 */
export class RenewedTls<T> {
  readonly #read: () => Promise<T>
  readonly #log: Logger
  #last: T | undefined

  /** `read` rejects with ConfigError when the settings do not fit. */
  constructor(read: () => Promise<T>, log: Logger) {
    this.#read = read
    this.#log = log
  }

  /** Rejects only if the options were never read successfully. */
  async options(): Promise<T> {
    try {
      this.#last = await this.#read()
    } catch (error) {
      if (this.#last === undefined) throw error
      this.#log.warn('tls_files_unreadable', { error, using: 'the ones read before' })
    }
    return this.#last
  }
}
