const MAX = 5

/** The redirects of one request, up to 5. */
export class Redirects {
  readonly #urls: URL[]

  constructor(first: URL) {
    this.#urls = [first]
  }

  /** Whether to follow a redirect to `next`; if not, why: a circle, or too many. */
  refusal(next: URL): string | null {
    const circle = this.#urls.some(({ href }) => href === next.href)
    if (!circle && this.#urls.length <= MAX) {
      this.#urls.push(next)
      return null
    }
    const chain = (circle ? [...this.#urls, next] : this.#urls).map(shown).join(' → ')
    return `the server redirects ${circle ? 'in a circle' : `more than ${MAX} times`}: ${chain}`
  }
}

/** User, password and query may be secrets. */
function shown({ protocol, host, pathname }: URL): string {
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`
}
