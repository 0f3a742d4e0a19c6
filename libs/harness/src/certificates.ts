import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { HarnessError } from './errors.ts'

const run = promisify(execFile)

/** Paths of PEM files. Keys are PKCS #8 without a passphrase, P-256. */
export interface Certificates {
  readonly ca: string
  /** For `localhost` and 127.0.0.1. Good for a client, too, as processes of a cluster are both. */
  readonly serverCert: string
  readonly serverKey: string
  /** Key, certificate and CA in one file, as Kafka's PEM key store expects. */
  readonly serverStore: string
  /** CN=tributary-client, signed by the same CA. */
  readonly clientCert: string
  readonly clientKey: string
}

/**
 * Creates a certificate authority, a server certificate and a client certificate in `folder`. They are valid for two
 * days. Needs openssl.
 */
export async function makeCertificates(folder: string): Promise<Certificates> {
  const path = (name: string): string => join(folder, name)
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  const caFiles = ['-keyout', path('ca.key'), '-out', path('ca.pem')]
  await openssl(['req', '-x509', ...newKey, ...caFiles, '-subj', '/CN=Tributary test CA', '-days', '2'])

  const sign = async (name: string, subject: string, extensions: string): Promise<void> => {
    await writeFile(path(`${name}.ext`), extensions)
    const request = ['-keyout', path(`${name}.key`), '-out', path(`${name}.csr`)]
    await openssl(['req', ...newKey, ...request, '-subj', subject])
    const authority = ['-CA', path('ca.pem'), '-CAkey', path('ca.key'), '-CAcreateserial']
    const files = ['-in', path(`${name}.csr`), '-out', path(`${name}.pem`), '-extfile', path(`${name}.ext`)]
    await openssl(['x509', '-req', ...authority, ...files, '-days', '2'])
  }
  await sign(
    'server',
    '/CN=localhost',
    'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n',
  )
  await sign('client', '/CN=tributary-client', 'extendedKeyUsage=clientAuth\n')

  const store = await Promise.all(['server.key', 'server.pem', 'ca.pem'].map((name) => readFile(path(name), 'utf8')))
  await writeFile(path('server.store.pem'), store.join(''), { mode: 0o600 })
  return {
    ca: path('ca.pem'),
    serverCert: path('server.pem'),
    serverKey: path('server.key'),
    serverStore: path('server.store.pem'),
    clientCert: path('client.pem'),
    clientKey: path('client.key'),
  }
}

async function openssl(args: readonly string[]): Promise<void> {
  try {
    await run('openssl', args)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
    throw new HarnessError('openssl is needed to make certificates and was not found: install it.', { cause })
  }
}
