import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { KafkaConnection } from '@tributary/config'
import { apiKeys, flexible, type Api } from './api.ts'
import { AuthenticationError } from './errors.ts'
import { protocolErrorOf } from './protocol-errors.ts'

const saslHandshakeV1: Api<[mechanism: string], { errorCode: number; mechanisms: string[] }> = {
  ...{ key: apiKeys.saslHandshake, version: 1, flexible: false },
  write: (writer, mechanism) => void writer.appendShortString(mechanism),
  read: (reader) => ({
    errorCode: reader.readInt16(),
    mechanisms: reader.readArray(() => reader.readString(false), false),
  }),
}

/** Brokers from 2.5 on. */
const saslAuthenticateV2 = flexible(
  apiKeys.saslAuthenticate,
  2,
  (writer, bytes: Uint8Array) => void writer.appendBytes(bytes),
  (reader) => ({
    errorCode: reader.readInt16(),
    errorMessage: reader.readNullableString(),
    bytes: reader.readBytes(),
    lifeMs: Number(reader.readInt64()),
  }),
)

type Sasl = NonNullable<KafkaConnection['sasl']>
export type SendRequest = <Args extends unknown[], Answer>(api: Api<Args, Answer>, ...args: Args) => Promise<Answer>

/**
 * Logs in on a new connection, or renews its session. Returns the life of the session in ms; 0: without end. Throws
 * AuthenticationError when the broker refuses.
 */
export async function login(sasl: Sasl, send: SendRequest): Promise<number> {
  const { mechanism, username, password } = sasl
  const { errorCode, mechanisms } = await send(saslHandshakeV1, mechanism)
  if (errorCode !== 0) {
    const offered = mechanisms.length > 0 ? ` It offers ${mechanisms.join(', ')}.` : ''
    throw new AuthenticationError(`${protocolErrorOf(errorCode).name}: the broker refuses ${mechanism}.${offered}`)
  }
  const exchange = async (bytes: Uint8Array): Promise<{ bytes: Buffer; lifeMs: number }> => {
    const answer = await send(saslAuthenticateV2, bytes)
    if (answer.errorCode === 0) return answer
    const { name, message } = protocolErrorOf(answer.errorCode)
    throw new AuthenticationError(`${name}: ${answer.errorMessage ?? message}`)
  }
  if (mechanism === 'PLAIN') return (await exchange(Buffer.from(`\0${username}\0${password.reveal()}`))).lifeMs
  return scram(mechanism, username, password.reveal(), exchange)
}

const HASHES = { 'SCRAM-SHA-256': ['sha256', 32], 'SCRAM-SHA-512': ['sha512', 64] } as const
/** The least that a server may ask for (RFC 7677, section 4). */
const MIN_ITERATIONS = 4096
const GS2_HEADER = 'n,,'

const derive = promisify(pbkdf2)

/** SCRAM without channel binding (RFC 5802). */
async function scram(
  mechanism: keyof typeof HASHES,
  username: string,
  password: string,
  exchange: (bytes: Uint8Array) => Promise<{ bytes: Buffer; lifeMs: number }>,
): Promise<number> {
  const [hash, keyBytes] = HASHES[mechanism]
  const hmac = (key: Buffer, text: string): Buffer => createHmac(hash, key).update(text).digest()
  const nonce = randomBytes(18).toString('base64')
  const first = `n=${username.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`
  const serverFirst = (await exchange(Buffer.from(GS2_HEADER + first))).bytes.toString()
  const { r: serverNonce = '', s: salt = '', i: iterations = '' } = attributes(serverFirst)
  if (!serverNonce.startsWith(nonce)) throw new AuthenticationError('the broker answered with another nonce')
  if (!(Number(iterations) >= MIN_ITERATIONS)) {
    throw new AuthenticationError(`the broker asks for ${iterations} iterations, fewer than ${MIN_ITERATIONS}`)
  }
  const salted = await derive(password, Buffer.from(salt, 'base64'), Number(iterations), keyBytes, hash)
  const last = `c=${Buffer.from(GS2_HEADER).toString('base64')},r=${serverNonce}`
  const messages = `${first},${serverFirst},${last}`
  const clientKey = hmac(salted, 'Client Key')
  const signature = hmac(createHash(hash).update(clientKey).digest(), messages)
  const proof = clientKey.map((byte, i) => byte ^ signature[i]!)
  const answer = await exchange(Buffer.from(`${last},p=${Buffer.from(proof).toString('base64')}`))
  const { v: proven = '', e: refusal } = attributes(answer.bytes.toString())
  if (refusal !== undefined) throw new AuthenticationError(refusal)
  const expected = hmac(hmac(salted, 'Server Key'), messages)
  const received = Buffer.from(proven, 'base64')
  if (received.length !== expected.length || !timingSafeEqual(received, expected)) {
    throw new AuthenticationError('the broker could not prove that it knows the password')
  }
  return answer.lifeMs
}

/** The attributes of a SCRAM message: `r=…,s=…,i=…`. */
function attributes(message: string): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(message.split(',').map((each) => [each.slice(0, 1), each.slice(2)]))
}
