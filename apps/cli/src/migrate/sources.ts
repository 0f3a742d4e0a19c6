import type { Config, OffsetEntry } from './old-connect.ts'

/** What a connector of the JVM does otherwise than ours, and how its offsets are read here. */
export interface KnownSource {
  readonly matches: RegExp
  readonly better: readonly string[]
  readonly different: readonly string[]
  /** What becomes of the position when the connector moves, in a sentence. */
  readonly position: string
  /** The offset as ours reads it; a string: why it is left behind. */
  readonly translate: (config: Config, entry: OffsetEntry) => OffsetEntry | string
}

export const KNOWN_SOURCES: readonly KnownSource[] = [
  {
    matches: /(?:^|\.)GrpcSource(?:Connector)?$/,
    better: [
      'A full queue makes the server wait. The JVM connector drops the newest messages then.',
      'Messages in the queue are delivered at a stop. The JVM connector discards them.',
      'An Any is converted with the types of the descriptor or of reflection. The JVM connector loses the message.',
      'It counts as connected when the server has answered, and lost messages are counted as gaps.',
    ],
    different: [
      'A message that cannot be decoded is a record with an error, for errors.tolerance, instead of a line in the log.',
    ],
    position:
      'The count goes on. The server is asked to continue only with grpc.resume.field and grpc.resume.request.field; without, what it sends between the stop and the start is missed, as at each restart.',
    translate: grpcOffset,
  },
  {
    matches: /(?:^|\.)WebSocketSource(?:Connector)?$/,
    better: [
      'A full queue makes the server wait. The JVM connector drops the newest messages then.',
      'A connection that the server closes is opened again at once. The JVM connector may notice it after 30 s.',
      'Binary messages are delivered. The JVM connector ignores them.',
      'Attempts that are used up fail the task. The JVM connector idles for ever as RUNNING.',
    ],
    different: ['A port above 65535 is refused when the configuration is checked.'],
    position: 'The count goes on. A feed cannot send again what it sends between the stop and the start.',
    translate: websocketOffset,
  },
  {
    matches: /(?:^|\.)SqsSource(?:Connector)?$/,
    better: [
      'A message is deleted when Kafka has its record. The JVM connector deletes at an interval, also what Kafka has not acknowledged.',
      'Messages stay hidden while Kafka is slow, and an error of a receive is tried again. The JVM connector fails.',
      'All queues are read, whatever tasks.max is. The JVM connector reads as many as there are tasks.',
      'poll.interval.ms counts. The JVM connector never reads it.',
    ],
    different: [],
    position: 'The queue keeps what is not deleted, so nothing is missed; what was not deleted may come again.',
    translate: (_config, entry) =>
      typeof entry.partition['queue_url'] === 'string' ? entry : 'its partition names no queue_url',
  },
  {
    matches: /(?:^|\.)FileStreamSource(?:Connector)?$/,
    better: [],
    different: [],
    position: 'It goes on behind the last line whose offset was committed.',
    translate: (_config, entry) => entry,
  },
]

const OTHER: Omit<KnownSource, 'matches'> = {
  better: [],
  different: [],
  position: 'Its offsets are moved as they are.',
  translate: (_config, entry) => entry,
}

export function knownSource(className: string): Omit<KnownSource, 'matches'> {
  return KNOWN_SOURCES.find(({ matches }) => matches.test(className)) ?? OTHER
}

export interface Translated {
  readonly moved: readonly OffsetEntry[]
  readonly left: readonly { readonly entry: OffsetEntry; readonly why: string }[]
}

export function translateOffsets(config: Config, offsets: readonly OffsetEntry[]): Translated {
  const { translate } = knownSource(config['connector.class'] ?? '')
  const moved: OffsetEntry[] = []
  const left: { entry: OffsetEntry; why: string }[] = []
  for (const entry of offsets) {
    const result = translate(config, entry)
    if (typeof result === 'string') left.push({ entry, why: result })
    else moved.push(result)
  }
  return { moved, left }
}

/** References stand as they are written in the partitions of ours, and resolved in those of the JVM. */
const refers = (text: string): boolean => text.includes('${')

function grpcOffset(config: Config, { partition, offset }: OffsetEntry): OffsetEntry | string {
  const server = `${config['grpc.server.host'] ?? ''}:${config['grpc.server.port'] ?? ''}`
  const method = `${config['grpc.service.name'] ?? ''}/${config['grpc.method.name'] ?? ''}`
  const same = (written: string, old: unknown): boolean => refers(written) || written === old
  if (!same(server, partition['grpc_server']) || !same(method, partition['grpc_method']))
    return 'it is of another server or method than those of the configuration'
  return { partition: { grpc_server: server, grpc_method: method }, offset }
}

function websocketOffset(config: Config, { partition, offset }: OffsetEntry): OffsetEntry | string {
  const written = config['websocket.url'] ?? ''
  const old = partition['websocket_url']
  if (typeof old !== 'string') return 'its partition names no websocket_url'
  if (!refers(written) && written !== old) return 'it is of another URL than that of the configuration'
  // A user and a password are no part of the partition here.
  const url = written.replace(/^([^/?#]*\/\/)(?:\$\{[^}]*\}|\$(?!\{)|[^/?#$])*@/, '$1')
  return { partition: { websocket_url: url }, offset }
}
