/** One program that is measured. */
export interface Subject<T> {
  readonly name: string
  measure(): Promise<T>
}

/** All measurements of the subjects, by their names. */
export type Runs<T> = ReadonlyMap<string, readonly T[]>

/**
 * Measures the subjects in turn, A B C A B C, so that a change of the machine's speed meets all of them. `after` runs
 * after each measurement, which is printed at once as a line of JSON.
 */
export async function inTurn<T>(
  rounds: number,
  subjects: readonly Subject<T>[],
  after: () => Promise<void>,
): Promise<Runs<T>> {
  const runs = new Map<string, T[]>(subjects.map(({ name }) => [name, []]))
  for (let round = 1; round <= rounds; round++) {
    for (const { name, measure } of subjects) {
      const figures = await measure()
      runs.get(name)!.push(figures)
      console.error(JSON.stringify({ name, round, figures }))
      await after()
    }
  }
  return runs
}

/** The ratio of two subjects in each round. */
export function ratios<T>(runs: Runs<T>, subject: string, limit: string, value: (figures: T) => number): number[] {
  const limits = runs.get(limit)!
  return runs.get(subject)!.map((figures, i) => value(figures) / value(limits[i]!))
}
