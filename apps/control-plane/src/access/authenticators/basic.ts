import { parseProperties } from '@tributary/config'
import type { FastifyRequest } from 'fastify'
import { createHmac, randomBytes } from 'node:crypto'
import { type BasicLogin, basicLogin } from '../credentials.ts'
import type { GrantsSource } from '../grants-file.ts'
import type { Authenticator, Identity } from '../identity.ts'
import { LoginError } from '../login.ts'
import { parsePassword, passwordMatches, type StoredPassword } from '../passwords.ts'

/** The users of `access.basic.file`. */
export interface Users {
  readonly passwords: ReadonlyMap<string, StoredPassword>
  /** Compared with for an unknown user, whom nobody may tell from a known one by the time. */
  readonly decoy: StoredPassword
}

/**
 * Parses lines `user: password`, as the PropertyFileLoginModule of Kafka Connect's basic-auth-extension does. A file
 * without users lets nobody in; Kafka Connect's module then lets everybody in. Throws Error.
 */
export function parseUsers(text: string): Users {
  const passwords = new Map<string, StoredPassword>()
  for (const [user, password] of parseProperties(text)) {
    if (password === '') throw new Error(`the user ${user} has no password`)
    try {
      passwords.set(user, parsePassword(password))
    } catch (error) {
      throw new Error(`the user ${user}: ${(error as Error).message}`)
    }
  }
  if (passwords.size === 0) throw new Error('the file has no line "user: password"')
  const hashed = [...passwords.values()].filter((password) => password.kind === 'scrypt')
  return { passwords, decoy: hashed.sort((a, b) => work(b) - work(a))[0] ?? parsePassword('x') }
}

/** Logins that wait for a hash. A hash takes 100 to 200 ms of a thread. */
const MAX_WAITING = 8
/** Passwords that were right lately, so that each request does not cost a hash. */
const MAX_KNOWN = 1000

/** User and password by `Authorization: Basic`, from a file. */
export class BasicAuthenticator implements Authenticator {
  readonly challenge = 'Basic realm="tributary", charset="UTF-8"'
  readonly #users: () => Promise<Users>
  readonly #grants: GrantsSource
  /** What is kept of a right password tells nothing to who reads the memory later. */
  readonly #secret = randomBytes(32)
  #known = new Set<string>()
  /** The users for whom `#known` counts. */
  #knownOf: Users | null = null
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  constructor(users: () => Promise<Users>, grants: GrantsSource) {
    this.#users = users
    this.#grants = grants
  }

  async authenticate({ headers }: FastifyRequest): Promise<Identity | null> {
    const login = basicLogin(headers)
    if (login === null) return null
    const name = `user:${login.user}`
    if (!(await this.#isRight(login))) throw LoginError.refused('unknown user or wrong password', name)
    return { name, grants: (await this.#grants()).of('user', [login.user]) }
  }

  async #isRight({ user, password }: BasicLogin): Promise<boolean> {
    const users = await this.#users()
    if (users !== this.#knownOf) {
      this.#known = new Set()
      this.#knownOf = users
    }
    const known = this.#known
    const digest = createHmac('sha256', this.#secret).update(`${user.length}:${user}${password}`).digest('base64')
    if (known.has(digest)) return true
    const stored = users.passwords.get(user)
    const isRight = (await this.#compare(password, stored ?? users.decoy)) && stored !== undefined
    // A file may have hashed and plain passwords: a wrong plain one takes as long as a hashed one.
    if (!isRight && stored?.kind === 'plain' && users.decoy.kind === 'scrypt')
      await this.#compare(password, users.decoy)
    if (isRight) {
      if (known.size >= MAX_KNOWN) known.clear()
      known.add(digest)
    }
    return isRight
  }

  /** One hash at a time: each takes memory and a thread of the process. */
  async #compare(password: string, stored: StoredPassword): Promise<boolean> {
    if (stored.kind === 'plain') return passwordMatches(password, stored)
    if (this.#waiting >= MAX_WAITING) {
      throw LoginError.unavailable('Too many logins with a password are under way. Try again in a few seconds.')
    }
    this.#waiting++
    const compared = this.#last.then(() => passwordMatches(password, stored))
    this.#last = compared.catch(() => undefined)
    return await compared.finally(() => this.#waiting--)
  }
}

function work({ cost: { ln, r, p } }: Extract<StoredPassword, { kind: 'scrypt' }>): number {
  return 2 ** ln * r * p
}
