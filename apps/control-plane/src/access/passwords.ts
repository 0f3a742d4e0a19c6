import { createHash, randomBytes, scrypt, type ScryptOptions, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt)

/** OWASP's parameters for scrypt with 16 MiB: N=2^14, r=8, p=5. */
const COST = { ln: 14, r: 8, p: 5 }
const SALT_BYTES = 16
const HASH_BYTES = 32
/** Beyond these a file of users would hold a thread for seconds, or take more than 128 MiB. */
const MAX_COST = { ln: 17, r: 8, p: 16 }

/** A stored password: as it is, or hashed with scrypt in the PHC string format. */
export type StoredPassword =
  | { readonly kind: 'plain'; readonly digest: Buffer }
  | { readonly kind: 'scrypt'; readonly cost: typeof COST; readonly salt: Buffer; readonly hash: Buffer }

/** `$scrypt$ln=14,r=8,p=5$<salt>$<hash>`, both in base64 without padding. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const hash = await scryptOf(password, salt, COST, HASH_BYTES)
  return `$scrypt$ln=${COST.ln},r=${COST.r},p=${COST.p}$${base64(salt)}$${base64(hash)}`
}

/** Throws Error for a text that begins like a hash and is none that is accepted. */
export function parsePassword(text: string): StoredPassword {
  if (!text.startsWith('$')) return { kind: 'plain', digest: sha256(text) }
  const [, ln, r, p, salt = '', hash = ''] =
    /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/.exec(text) ?? []
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) }
  if (ln === undefined)
    throw new Error('a password that begins with $ must be of the form $scrypt$ln=14,r=8,p=5$salt$hash')
  if (cost.ln < 1 || cost.r < 1 || cost.p < 1 || cost.ln > MAX_COST.ln || cost.r > MAX_COST.r || cost.p > MAX_COST.p) {
    throw new Error(`the hash costs too much: at most ln=${MAX_COST.ln},r=${MAX_COST.r},p=${MAX_COST.p} is accepted`)
  }
  return { kind: 'scrypt', cost, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') }
}

/** Takes the same time for every wrong password of one stored one. */
export async function passwordMatches(password: string, stored: StoredPassword): Promise<boolean> {
  if (stored.kind === 'plain') return timingSafeEqual(sha256(password), stored.digest)
  const { salt, cost, hash } = stored
  return timingSafeEqual(await scryptOf(password, salt, cost, hash.length), hash)
}

function scryptOf(password: string, salt: Buffer, { ln, r, p }: typeof COST, length: number): Promise<Buffer> {
  const N = 2 ** ln
  return derive(password, salt, length, { N, r, p, maxmem: 128 * N * r + 1024 * 1024 + 256 * r * p })
}

/** Only so that texts of different lengths can be compared in constant time. */
function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '')
}
