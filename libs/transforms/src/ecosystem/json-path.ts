/** A name of a field, or an index of a list. */
export type Step = string | number

const STEP = /\.([^.[\]'"\s]+)|\[\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(\d{1,9}))\s*\]/y

/** Reads a JSON path that names one place: `$.a.b`, `$["a"]["b"]`, `$.list[0]`. null: it does not. */
export function parseJsonPath(text: string): readonly Step[] | null {
  const path = text.startsWith('$') ? text.slice(1) : text.startsWith('[') ? text : `.${text}`
  const steps: Step[] = []
  STEP.lastIndex = 0
  while (STEP.lastIndex < path.length) {
    const match = STEP.exec(path)
    if (match === null) return null
    const [, name, double, single, index] = match
    steps.push(index === undefined ? (name ?? (double ?? single)!.replaceAll(/\\(.)/g, '$1')) : Number(index))
  }
  return steps.length === 0 ? null : steps
}
