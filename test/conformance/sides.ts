/** How ours is run: with `connect.strict=true`, or with nothing set. */
export const MODES = ['strict', 'byDefault'] as const
export type Mode = (typeof MODES)[number]

export const SIDES = ['connect', ...MODES] as const
export type Side = (typeof SIDES)[number]

/** Kafka Connect and ours, with the same plugin on the same Kafka cluster: their addresses. */
export interface Sides {
  readonly connect: string
  readonly ours: Readonly<Record<Mode, string>>
}

/** In a body: the name of the side that gets it, so that each writes into topics of its own. */
export const OF_SIDE = '<side>'

export function topicOf(topic: string, side: Side): string {
  return topic.replace(OF_SIDE, side)
}
