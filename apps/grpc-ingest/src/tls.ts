import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { ConfigError } from '@tributary/connect-api'
import type { GrpcConfig } from './spec.ts'

/** Keys that name files. */
export const TLS_FILE_KEYS = ['grpc.tls.ca.cert', 'grpc.tls.client.cert', 'grpc.tls.client.key'] as const
type TlsKey = (typeof TLS_FILE_KEYS)[number]

/**
 * Reads and checks what TLS needs; null without TLS. Throws ConfigError on the key that is to blame: unreadable file,
 * no PEM, wrong password, a key that is not the certificate's.
 */
export async function readTls(config: GrpcConfig): Promise<SecureContextOptions | null> {
  if (!config['grpc.tls.enabled']) return null
  const ca = await readTlsFile(config, 'grpc.tls.ca.cert')
  const cert = await readTlsFile(config, 'grpc.tls.client.cert')
  const key = await readTlsFile(config, 'grpc.tls.client.key')
  if (ca !== null) certificate(ca, 'grpc.tls.ca.cert')
  if (cert === null || key === null) return ca === null ? {} : { ca }

  const passphrase = config['grpc.tls.client.key.password']?.reveal()
  const secret = passphrase === undefined ? {} : { passphrase }
  const privateKey = privateKeyOf(key, secret)
  if (!certificate(cert, 'grpc.tls.client.cert').checkPrivateKey(privateKey)) {
    throw invalid('grpc.tls.client.key', 'the private key is not the one of the certificate in grpc.tls.client.cert')
  }
  const options = { ...(ca === null ? {} : { ca }), cert, key, ...secret }
  try {
    createSecureContext(options)
  } catch (error) {
    throw invalid('grpc.tls.client.cert', (error as Error).message, error)
  }
  return options
}

/** The text of one of the files; null without TLS, or when the key is not set. Throws ConfigError on the key. */
export async function readTlsFile(config: GrpcConfig, key: TlsKey): Promise<string | null> {
  const value = config[key]?.trim()
  if (!config['grpc.tls.enabled'] || !value) return null
  // Secret stores hand out the text itself; a path never begins so.
  if (value.startsWith('-----BEGIN')) return value
  try {
    return await readFile(value, 'utf8')
  } catch (error) {
    throw new ConfigError(
      'GRPC_TLS_FILE',
      `Cannot read TLS ${key === 'grpc.tls.client.key' ? 'key' : 'certificate'} ${value}: ${(error as Error).message}`,
      { field: key, cause: error },
    )
  }
}

function certificate(text: string, key: TlsKey): X509Certificate {
  try {
    return new X509Certificate(text)
  } catch (error) {
    throw invalid(key, 'it does not contain a PEM certificate', error)
  }
}

function privateKeyOf(text: string, secret: { passphrase?: string }): ReturnType<typeof createPrivateKey> {
  try {
    return createPrivateKey({ key: text, ...secret })
  } catch (error) {
    const encrypted = text.includes('ENCRYPTED')
    if (!encrypted) throw invalid('grpc.tls.client.key', 'it does not contain a PEM private key', error)
    throw invalid(
      'grpc.tls.client.key.password',
      secret.passphrase === undefined
        ? 'the client key is encrypted, its password is missing'
        : 'the password does not open the client key',
      error,
    )
  }
}

function invalid(field: string, reason: string, cause?: unknown): ConfigError {
  return new ConfigError('GRPC_TLS', `Invalid value for configuration ${field}: ${reason}`, { field, cause })
}
