import { type KafkaConnection, Secret } from '@tributary/config'

/** What the watchdog's thread is given. */
export interface WatchdogData {
  /** One element, which the main thread counts up each `tickMs`. */
  readonly beats: Int32Array
  readonly tickMs: number
  /** After this many ms without a turn the loop is asked what it does, and again each such time; last words are prepared. */
  readonly askMs: number
  /** The process is ended after this many ms without a turn, unless nobody in particular holds the loop … */
  readonly endMs: number
  /** … and has at most this many more for its last words. */
  readonly lastWordsMs: number
  /** More than this many ms between two looks of the thread count as so many. */
  readonly longestTickMs: number
  /** An expression that answers a Holder as JSON when the main thread evaluates it. */
  readonly question: string
  readonly report: ReportData
}

/** What the last words need. */
export interface ReportData {
  /** host:port of the admin server. */
  readonly workerId: string
  readonly statusTopic: string
  readonly connection: PortableConnection
}

/** A KafkaConnection of plain data, as only that can be handed to a thread. */
export type PortableConnection = Omit<KafkaConnection, 'tls' | 'sasl'> & {
  readonly tls?: Omit<NonNullable<KafkaConnection['tls']>, 'passphrase'> & { readonly passphrase?: string }
  readonly sasl?: Omit<NonNullable<KafkaConnection['sasl']>, 'password'> & { readonly password: string }
}

export function packConnection({ tls, sasl, ...rest }: KafkaConnection): PortableConnection {
  const { passphrase, ...ofTls } = tls ?? {}
  return {
    ...rest,
    ...(tls && { tls: { ...ofTls, ...(passphrase && { passphrase: passphrase.reveal() }) } }),
    ...(sasl && { sasl: { ...sasl, password: sasl.password.reveal() } }),
  }
}

export function unpackConnection({ tls, sasl, ...rest }: PortableConnection): KafkaConnection {
  const { passphrase, ...ofTls } = tls ?? {}
  return {
    ...rest,
    ...(tls && { tls: { ...ofTls, ...(passphrase !== undefined && { passphrase: new Secret(passphrase) }) } }),
    ...(sasl && { sasl: { ...sasl, password: new Secret(sasl.password) } }),
  }
}
