/**
 * Checks of parsed JSON by its shape. A check returns the value with the members that it knows, in the order in which
 * they stand, and throws an Error that names the place and shows nothing of the value.
 */
export type Shape<T> = (value: unknown, at: string) => T

export function wrong(at: string, must: string): never {
  throw new Error(`${at} is not ${must}`)
}

export function text(maxChars: number, pattern?: RegExp): Shape<string> {
  return (value, at) => {
    if (typeof value !== 'string' || value.length > maxChars) wrong(at, `text of at most ${maxChars} characters`)
    if (pattern && !pattern.test(value)) wrong(at, `text like ${pattern.source}`)
    return value
  }
}

export const flag: Shape<boolean> = (value, at) => (typeof value === 'boolean' ? value : wrong(at, 'true or false'))

export const number: Shape<number> = (value, at) =>
  typeof value === 'number' && Number.isFinite(value) ? value : wrong(at, 'a number')

export function oneOf<const T extends string>(values: readonly T[]): Shape<T> {
  return (value, at) => values.find((known) => known === value) ?? wrong(at, `one of ${values.join(', ')}`)
}

export function list<T>(item: Shape<T>, max: number): Shape<T[]> {
  return (value, at) => {
    if (!Array.isArray(value) || value.length > max) wrong(at, `a list of at most ${max}`)
    return value.map((each, i) => item(each, `${at}[${i}]`))
  }
}

/** An object whose members all have one shape, such as the keys of a spec. */
export function record<T>(name: Shape<string>, member: Shape<T>, max: number): Shape<Readonly<Record<string, T>>> {
  return (value, at) => {
    const members = Object.entries(object(value, at))
    if (members.length > max) wrong(at, `an object of at most ${max} members`)
    return Object.fromEntries(members.map(([key, each]) => [name(key, `a name in ${at}`), member(each, `${at}.${key.slice(0, 60)}`)])) // prettier-ignore
  }
}

type Shapes = Readonly<Record<string, Shape<unknown>>>
type Of<S extends Shapes> = { readonly [N in keyof S]: S[N] extends Shape<infer T> ? T : never }

/** An object with the required members and any of the optional ones. Members that are not known are left out. */
export function shape<const R extends Shapes, const O extends Shapes>(
  required: R,
  optional: O,
): Shape<Of<R> & Partial<Of<O>>> {
  return (value, at) => {
    const given = object(value, at)
    for (const name of Object.keys(required)) if (!Object.hasOwn(given, name)) wrong(`${at}.${name}`, 'there')
    const members = Object.entries(given).flatMap(([name, member]): [string, unknown][] => {
      const known = ownMember(required, name) ?? ownMember(optional, name)
      return known === undefined ? [] : [[name, known(member, `${at}.${name}`)]]
    })
    return Object.fromEntries(members) as Of<R> & Partial<Of<O>>
  }
}

function ownMember(shapes: Shapes, name: string): Shape<unknown> | undefined {
  return Object.hasOwn(shapes, name) ? shapes[name] : undefined
}

function object(value: unknown, at: string): object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : wrong(at, 'an object')
}
