import { readdirSync, readFileSync } from 'node:fs'
import type { Props } from '@tributary/connect-api'
import type { ExampleServer } from './grpc-server.ts'
import { fixture } from '../../support/grpc-ticker.ts'

/** File paths of the documents, and the paths that replace them. Apart from host and port nothing else is replaced. */
const FILES: Readonly<Record<string, string>> = {
  '/opt/kafka/proto/stream.desc': fixture('test_stream.desc'),
  '/etc/kafka/descriptors/service.desc': fixture('production.desc'),
  '/etc/kafka/descriptors/secure-service.desc': fixture('secure.desc'),
  '/etc/ssl/certs/production-ca.crt': fixture('tls/ca.crt'),
  '/etc/ssl/certs/ca.crt': fixture('tls/ca.crt'),
  '/etc/ssl/certs/client.crt': fixture('tls/client.crt'),
}

export interface Example {
  /** The file, and the connector's name in it. */
  readonly name: string
  readonly connector: string
  readonly config: Props
}

/** Text of the secrets file that some examples read with `${file:…}`. */
export const secretsFile = [
  'api.token=s3cret',
  'grpc.auth.token=Bearer s3cret',
  `client.key.path=${fixture('tls/client.key')}`,
  '',
].join('\n')

/**
 * The configurations of the documents, pointed at the example server. `secretsPath` is a file with the text
 * `secretsFile`.
 */
export function grpcExamples(
  server: Pick<ExampleServer, 'port' | 'tlsPort' | 'mutualTlsPort'>,
  secretsPath: string,
): Example[] {
  return readdirSync(fixture('examples/')).map((file) => {
    const { name, config } = JSON.parse(readFileSync(fixture(`examples/${file}`), 'utf8')) as {
      name: string
      config: Record<string, string>
    }
    const replaced = Object.entries(config).map(([key, value]) => [
      key,
      FILES[value] ?? value.replaceAll('/etc/kafka/secrets.properties', secretsPath),
    ])
    const tlsPort = config['grpc.tls.client.cert'] === undefined ? server.tlsPort : server.mutualTlsPort
    const port = config['grpc.tls.enabled'] === 'true' ? tlsPort : server.port
    return {
      name: `${file.replace('.json', '')} (${name})`,
      connector: name,
      config: {
        ...(Object.fromEntries(replaced) as Record<string, string>),
        'grpc.server.host': '127.0.0.1',
        'grpc.server.port': String(port),
      },
    }
  })
}

/** The fragments of configurations in the documents, unchanged, by file. */
export function exampleFragments(): Map<string, Props> {
  const fragments = readdirSync(fixture('fragments/')).map((file) => {
    const { config } = JSON.parse(readFileSync(fixture(`fragments/${file}`), 'utf8')) as { config: Props }
    return [file.replace('.json', ''), config] as const
  })
  return new Map(fragments)
}
