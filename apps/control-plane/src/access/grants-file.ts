import { parseProperties } from '@tributary/config'
import { type Grant, parseGrants } from './identity.ts'

const NONE = 'none'
const KINDS = ['user', 'cert', 'oidc', 'claim'] as const
export type GrantKind = (typeof KINDS)[number]

/**
 * The lines of `access.grants.file`: `<kind>.<name>=<grants>`. The kinds are those of GrantKind; `*` as a name stands for
 * every name that has no line of its own. `none` in place of the grants takes every right of a name, whatever else gives it some.
 */
export class GrantsFile {
  static readonly EMPTY = new GrantsFile(new Map())
  readonly #grants: ReadonlyMap<string, readonly Grant[]>

  private constructor(grants: ReadonlyMap<string, readonly Grant[]>) {
    this.#grants = grants
  }

  /** Throws Error, which names the line. */
  static parse(text: string): GrantsFile {
    const grants = new Map<string, readonly Grant[]>()
    for (const [key, value] of parseProperties(text)) {
      const [kind = '', name = ''] = key.split(/\.(.*)/s)
      if (!(KINDS as readonly string[]).includes(kind) || name === '') {
        throw new Error(`"${key}" is not of the form kind.name; kinds are ${KINDS.join(', ')}`)
      }
      try {
        grants.set(key, value.trim() === NONE ? [] : parseGrants(value))
      } catch (error) {
        throw new Error(`${key}: ${(error as Error).message}`)
      }
    }
    return new GrantsFile(grants)
  }

  /** The grants of all the lines of these names; [] without any, and when one of the lines is `none`. */
  of(kind: GrantKind, names: readonly string[]): readonly Grant[] {
    const own = names.flatMap((name) => {
      const grants = this.line(kind, name)
      return grants === null ? [] : [grants]
    })
    if (own.some((grants) => grants.length === 0)) return []
    return own.length > 0 ? own.flat() : (this.line(kind, '*') ?? [])
  }

  /** The grants of the line of this name; [] for `none`, null without a line. */
  line(kind: GrantKind, name: string): readonly Grant[] | null {
    return this.#grants.get(`${kind}.${name}`) ?? null
  }
}

/** The present content of `access.grants.file`. */
export type GrantsSource = () => Promise<GrantsFile>
