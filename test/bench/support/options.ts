import { parseArgs } from 'node:util'

/** Arguments of a benchmark: names of its sections, all by default, and options with numbers, a list or a path. */
export interface Options<Section extends string> {
  readonly sections: ReadonlySet<Section>
  readonly against: string | undefined
  number(name: string, otherwise: number): number
  list(name: string, otherwise: readonly number[]): readonly number[]
}

/** Reads the command line. Throws an Error with a sentence for an argument that does not exist. */
export function readOptions<Section extends string>(
  sections: readonly Section[],
  options: readonly string[],
): Options<Section> {
  const names = [...options, 'against']
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: Object.fromEntries(names.map((name) => [name, { type: 'string' as const }])),
  })
  const unknown = positionals.find((name) => !(sections as readonly string[]).includes(name))
  if (unknown !== undefined) throw new Error(`${unknown} is none of ${sections.join(', ')}`)
  const list = (name: string, otherwise: readonly number[]): readonly number[] => {
    const text = values[name]
    if (text === undefined) return otherwise
    const numbers = text.split(',').map(Number)
    if (numbers.some((n) => !(n >= 0))) throw new Error(`--${name} takes numbers, not ${text}`)
    return numbers
  }
  return {
    sections: new Set(positionals.length === 0 ? sections : (positionals as Section[])),
    against: values['against'],
    list,
    number: (name, otherwise) => list(name, [otherwise])[0]!,
  }
}
