import { ConfigError } from '@tributary/connect-api'

/** A text with places to fill in. */
export interface Template {
  /** The names between the braces, in order; some may be there twice. */
  readonly names: readonly string[]
  /** The text with each `{{name}}` replaced by what `valueOf` answers for it. */
  render(valueOf: (name: string) => string): string
}

/**
 * Compiles a text with `{{name}}` in it; spaces around the name do not count. What stands between other braces, as in JSON,
 * is text. Throws ConfigError on `key` for a `{{` without its end or without a name.
 */
export function compileTemplate(text: string, key: string): Template {
  const [head = '', ...places] = text.split('{{')
  const names: string[] = []
  const texts: string[] = [head]
  for (const place of places) {
    const end = place.indexOf('}}')
    const name = place.slice(0, Math.max(end, 0)).trim()
    if (name === '' || /[{}]/.test(name)) {
      const reason = end < 0 ? '{{ is not followed by }}' : 'a name must stand between {{ and }}'
      throw new ConfigError('WEBSOCKET_TEMPLATE', `Invalid template in ${key}: ${reason}`, { field: key })
    }
    names.push(name)
    texts.push(place.slice(end + 2))
  }
  return {
    names,
    render(valueOf) {
      let rendered = head
      for (let i = 0; i < names.length; i++) rendered += valueOf(names[i]!) + texts[i + 1]!
      return rendered
    },
  }
}
