import * as net from 'node:net'
import { sleep } from '@tributary/async'
import { allowedAddress } from '@tributary/connect-api'

/** The preface of a client, and empty settings (RFC 9113, section 3.4). */
const PREFACE = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.of(0, 0, 0, 4, 0, 0, 0, 0, 0)])
const ANSWER_MS = 1000
/** The first bytes of an alert of TLS. */
const TLS_ALERT = Buffer.of(0x15, 3)

/** Codes of OpenSSL that say which protocol a server speaks, which its own texts hardly do. */
const TLS_REASONS: Readonly<Record<string, string>> = {
  ERR_SSL_WRONG_VERSION_NUMBER: 'the server does not speak TLS on this port; see grpc.tls.enabled',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'the server does not speak TLS on this port; see grpc.tls.enabled',
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: 'the server does not offer HTTP/2 over TLS (ALPN protocol h2)',
}

/** Why the handshake of TLS failed, where that is known better than the error says; undefined otherwise. */
export function tlsReason(error: unknown): string | undefined {
  return TLS_REASONS[(error as NodeJS.ErrnoException).code ?? '']
}

/**
 * What a server that broke HTTP/2 in plaintext speaks instead; undefined when it does not show. Node does not keep the bytes that it
 * could not read, so the server is asked once more.
 */
export async function plainReason(host: string, port: number, signal: AbortSignal): Promise<string | undefined> {
  const answer = await firstBytes(host, port, signal)
  if (answer.subarray(0, 2).equals(TLS_ALERT)) return 'the server speaks TLS on this port; see grpc.tls.enabled'
  const [line = ''] = answer.toString('latin1').split(/\r?\n/)
  if (line === '' || /[^\x20-\x7e]/.test(line)) return undefined
  // No more of the answer: it may be a secret of a server that no connector should ask.
  const status = /^HTTP\/1\.[01] (\d{3})\b/.exec(line)?.[1]
  if (status !== undefined) return `the server speaks HTTP/1.1, not HTTP/2; it answered with status ${status}`
  return 'the server does not speak HTTP/2'
}

/** What the server sends first, as far as it comes in time. */
async function firstBytes(host: string, port: number, signal: AbortSignal): Promise<Buffer> {
  const socket = net.connect({ host, port, ...allowedAddress(host) })
  const first = new Promise<Buffer>((resolve) => {
    socket.once('data', resolve)
    socket.once('close', () => resolve(Buffer.alloc(0)))
    // 'close' follows.
    socket.on('error', () => {})
  })
  try {
    socket.write(PREFACE)
    return await Promise.race([first, sleep(ANSWER_MS, signal).then(() => Buffer.alloc(0))])
  } finally {
    socket.destroy()
  }
}
