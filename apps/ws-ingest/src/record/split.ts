import type { Readable } from '../frame.ts'
import { elementTexts } from './json-elements.ts'
import { compilePath, namesOfPath } from './json-path.ts'

/** An element of a message: its own text, and its value out of the message's, which was parsed once. */
export interface Element extends Readable {
  readonly text: string
}

/** The elements of a message; null for one that has no array there. */
export type Split = (message: Readable) => Element[] | null

export function compileSplit(path: string): Split {
  const read = compilePath(path)
  const names = namesOfPath(path)
  return (message) => {
    const values = read(message.json)
    if (!Array.isArray(values) || message.text === null) return null
    const texts = elementTexts(message.text, names)
    return texts?.map((text, i) => ({ text, json: values[i] as unknown })) ?? null
  }
}
