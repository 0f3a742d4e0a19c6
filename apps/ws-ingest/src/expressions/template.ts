import type { ConfigError } from '@tributary/connect-api'
import { plain, type Writer } from './json-places.ts'
import { wsErrors } from '../errors.ts'

/** A text with placeholders. */
export interface Template {
  /** Names of the placeholders, in order; a name may occur twice. */
  readonly names: readonly string[]
  /**
   * The text with each `{{name}}` replaced by the value `valueOf(name)`, a string or a value of JSON. Throws ConfigError if the
   * value cannot stand at its place; the text of the error does not hold the value.
   */
  render(valueOf: (name: string) => unknown): string
}

/**
 * Compiles a text with `{{name}}` placeholders; spaces around a name are ignored. Single braces, as in JSON, are text.
 * `writersFor` decides how values are written: `jsonPlaces` for messages, which may be JSON. By default they are written as
 * they are. Throws ConfigError on `key` for a `{{` that has no end or no name.
 */
export function compileTemplate(
  text: string,
  key: string,
  writersFor: (texts: readonly string[]) => readonly Writer[] = plainPlaces,
): Template {
  const [head = '', ...places] = text.split('{{')
  const names: string[] = []
  const texts: string[] = [head]
  for (const place of places) {
    const end = place.indexOf('}}')
    const name = place.slice(0, Math.max(end, 0)).trim()
    if (name === '' || /[{}]/.test(name)) {
      const reason = end < 0 ? '{{ is not followed by }}' : 'a name must stand between {{ and }}'
      throw wsErrors.WEBSOCKET_TEMPLATE(`Invalid template in ${key}: ${reason}`, { field: key })
    }
    names.push(name)
    texts.push(place.slice(end + 2))
  }
  const writers = writersFor(texts)
  return {
    names,
    render(valueOf) {
      let rendered = head
      for (let i = 0; i < names.length; i++) {
        const written = writers[i]!(valueOf(names[i]!))
        if (written === null) throw misplaced(names[i]!, key)
        rendered += written + texts[i + 1]!
      }
      return rendered
    },
  }
}

function misplaced(name: string, key: string): ConfigError {
  const reason = 'it has a line break or another control character, which could end the field there'
  return wsErrors.WEBSOCKET_TEMPLATE(`The value of {{${name}}} cannot stand in ${key}: ${reason}`, { field: key })
}

function plainPlaces(texts: readonly string[]): readonly Writer[] {
  return texts.slice(1).map(() => plain)
}
