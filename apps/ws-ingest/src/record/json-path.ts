import { ConfigError } from '@tributary/connect-api'

/** Reads a value out of parsed JSON; undefined when it is not there. */
export type JsonPath = (json: unknown) => unknown

/** A regular expression for paths that say something. */
export const PATH_PATTERN = String.raw`^(?:\$|(?:\$\.)?(?:\\[^]|[^.\\])+(?:\.(?:\\[^]|[^.\\])+)*)$`
const PATH = new RegExp(PATH_PATTERN)

/** The whole value; at the start of a path, `$.`, it changes nothing. */
const ROOT = '$'

/**
 * Compiles a dotted path: names of members, or numbers of elements from 0 (`data.0.id`). `$` is the value itself, and may
 * begin a path. A dot that belongs to a name has a backslash before it. What is inherited, as `constructor`, is not there.
 */
export function compilePath(path: string): JsonPath {
  const steps = namesOfPath(path).map(stepOf)
  const [first, ...more] = steps
  if (first === undefined) return (json) => json
  if (more.length === 0) return first
  return (json) => {
    let value = first(json)
    for (let i = 0; i < more.length && value !== undefined; i++) value = more[i]!(value)
    return value
  }
}

/** Does the path begin at the whole message even where messages are split into elements? */
export function isOfMessage(path: string): boolean {
  return path === ROOT || path.startsWith(`${ROOT}.`)
}

/** Answers the path. Throws ConfigError on `key` for one with an empty name in it, or a backslash at its end. */
export function checkPath(path: string, key: string): string {
  if (PATH.test(path)) return path
  throw new ConfigError('WEBSOCKET_FIELD_PATH', `"${path}" in ${key} is no path of names parted by dots`, {
    field: key,
  })
}

/** The names that a path is made of; none for `$`. */
export function namesOfPath(path: string): string[] {
  if (path === ROOT) return []
  const relative = path.startsWith(`${ROOT}.`) ? path.slice(2) : path
  return (relative.match(/(?:\\[^]|[^.\\])+/g) ?? []).map((name) => name.replaceAll(/\\([^])/g, '$1'))
}

/** Parsed JSON holds plain objects and arrays only, so most names can be read without asking whose they are. */
function stepOf(name: string): JsonPath {
  if (name in Array.prototype) {
    return (value) =>
      isContainer(value) && !Array.isArray(value) && Object.hasOwn(value, name) ? value[name] : undefined
  }
  return (value) => (isContainer(value) ? value[name] : undefined)
}

function isContainer(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
