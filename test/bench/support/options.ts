import { parseArgs } from 'node:util'

/** Arguments of a benchmark: names of its sections, all by default, and options. */
export interface Options<Section extends string> {
  readonly sections: ReadonlySet<Section>
  /** `--tree` and `--against`: the checkout that is measured, this one by default, and one to compare it with. */
  readonly folders: { readonly tree: string | undefined; readonly against: string | undefined }
  /** `--alone`: without the limits beside it. */
  readonly alone: boolean
  number(name: string, otherwise: number): number
  list(name: string, otherwise: readonly number[]): readonly number[]
}

/** Reads the command line. Throws an Error with a sentence for an argument that does not exist. */
export function readOptions<Section extends string>(
  sections: readonly Section[],
  options: readonly string[],
): Options<Section> {
  const names = [...options, 'tree', 'against']
  const text = { type: 'string' } as const
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { ...Object.fromEntries(names.map((name) => [name, text])), alone: { type: 'boolean' } },
  })
  const given: Readonly<Record<string, string | boolean | undefined>> = values
  const path = (name: string): string | undefined => (typeof given[name] === 'string' ? given[name] : undefined)
  const unknown = positionals.find((name) => !(sections as readonly string[]).includes(name))
  if (unknown !== undefined) throw new Error(`${unknown} is none of ${sections.join(', ')}`)
  const list = (name: string, otherwise: readonly number[]): readonly number[] => {
    const value = given[name]
    if (typeof value !== 'string') return otherwise
    const numbers = value.split(',').map(Number)
    if (numbers.some((n) => !(n >= 0))) throw new Error(`--${name} takes numbers, not ${value}`)
    return numbers
  }
  return {
    sections: new Set(positionals.length === 0 ? sections : (positionals as Section[])),
    folders: { tree: path('tree'), against: path('against') },
    alone: values.alone === true,
    list,
    number: (name, otherwise) => list(name, [otherwise])[0]!,
  }
}
