import type { SecureContextOptions } from 'node:tls'
import { readTls, type TlsSettings } from '@tributary/push-source'
import type { GrpcConfig } from './spec.ts'

/** Reads and checks what TLS needs; null without TLS. Throws ConfigError on the key that is to blame. */
export function readGrpcTls(config: GrpcConfig): Promise<SecureContextOptions | null> {
  return config['grpc.tls.enabled'] ? readTls(tlsSettings(config)) : Promise.resolve(null)
}

export function tlsSettings(config: GrpcConfig): TlsSettings {
  const password = 'grpc.tls.client.key.password'
  return {
    caCert: setting(config, 'grpc.tls.ca.cert'),
    clientCert: setting(config, 'grpc.tls.client.cert'),
    clientKey: setting(config, 'grpc.tls.client.key'),
    clientKeyPassword: { key: password, value: config[password]?.reveal() ?? null },
  }
}

type FileKey = 'grpc.tls.ca.cert' | 'grpc.tls.client.cert' | 'grpc.tls.client.key'

function setting(config: GrpcConfig, key: FileKey): TlsSettings['caCert'] {
  return { key, value: config[key] }
}
