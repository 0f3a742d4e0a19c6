import { pythonPackages } from '@tributary/harness'
import { fileURLToPath } from 'node:url'
import { startForeignServer } from './foreign-server.ts'

/** An OpenID Connect issuer of another make: Python's joserfc. */
export interface OidcIssuer {
  readonly url: string
  /** `alg` as in test/fixtures/oidc-joserfc/issuer.py. */
  token(alg: string, claims: Readonly<Record<string, unknown>>): Promise<string>
  /** Replaces all keys. */
  rotate(): Promise<void>
  /** How often the keys were read. */
  reads(): Promise<number>
  stop(): Promise<void>
}

const fixture = (file: string): string => fileURLToPath(new URL(`../fixtures/oidc-joserfc/${file}`, import.meta.url))

/** `port`: 0 for a free one. */
export async function startOidcIssuer(port = 0): Promise<OidcIssuer> {
  const packages = await pythonPackages(fixture('joserfc.txt'))
  const server = await startForeignServer(packages.program(fixture('issuer.py'), [String(port)]))
  const url = `http://127.0.0.1:${server.port}`
  const call = async (path: string, body?: unknown): Promise<unknown> => {
    const answer = await fetch(url + path, body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(`${path}: HTTP ${answer.status}: ${await server.output()}`)
    return await answer.json()
  }
  return {
    url,
    token: async (alg, claims) => (await call('/sign', { alg, claims })) as string,
    rotate: async () => void (await call('/rotate', {})),
    reads: async () => (await call('/count')) as number,
    stop: () => server.stop(),
  }
}
