import assert from 'node:assert/strict'
import type { ConnectOracle, OracleRequest, OracleResult } from '@tributary/harness'
import { doubleText, errorKind, type Schema } from '@tributary/connect-api'
import { createConverter, createHeaderConverter } from '@tributary/converters'
import { comparableData, decodeData, encodeData, type NeutralData } from '../support/connect-values.ts'

export interface Data {
  readonly schema: Schema | null
  readonly value: unknown
}

/** What a converter made of one record: bytes, data for `deepEqual`, or the message of its error. */
export interface Outcome {
  readonly bytes?: Buffer | null
  readonly data?: unknown
  readonly error?: string
  /** Java's class of the error; ours: its kind. */
  readonly of?: string
}

/** A result of ours that may differ from Kafka's, and why. */
export interface Difference {
  /** As docs/converters.md says it. */
  readonly reason: string
  readonly allows: (kafka: Outcome, ours: Outcome) => boolean
}

export interface Use {
  readonly class: string
  readonly config?: Readonly<Record<string, string>>
  readonly header?: boolean
}

/** Kafka's bytes of each record, after ours were found equal. */
export async function compareWriting(
  oracle: ConnectOracle,
  use: Use,
  records: readonly Data[],
  differences: readonly Difference[],
): Promise<(Buffer | null)[]> {
  const results = await ask(
    oracle,
    use.header === true ? 'fromConnectHeader' : 'fromConnect',
    use,
    records.map(encoded),
  )
  const { write } = ours(use)
  return records.map((record, i) => {
    const kafka = kafkaWrote(results[i]!)
    const made = outcome(() => ({ bytes: write(record) }))
    assertSame(
      kafka,
      made,
      differences,
      () => `${use.class} ${JSON.stringify(use.config)} of ${JSON.stringify(encoded(record))}`,
    )
    return kafka.bytes ?? null
  })
}

export async function compareReading(
  oracle: ConnectOracle,
  use: Use,
  values: readonly (Buffer | null)[],
  differences: readonly Difference[],
): Promise<void> {
  const texts = values.map((value) => value?.toString('base64') ?? null)
  const results = await ask(oracle, use.header === true ? 'toConnectHeader' : 'toConnect', use, texts)
  const { read } = ours(use)
  for (const [i, value] of values.entries()) {
    const kafka = kafkaRead(results[i]!)
    const made = outcome(() => {
      const { schema, value: data } = read(value)
      return { data: comparableData(schema, data) }
    })
    assertSame(kafka, made, differences, () => `${use.class} ${JSON.stringify(use.config)} of ${String(value)}`)
  }
}

function encoded({ schema, value }: Data): NeutralData {
  return encodeData(schema, value)
}

async function ask(
  oracle: ConnectOracle,
  op: OracleRequest['op'],
  use: Use,
  records: readonly unknown[],
): Promise<readonly OracleResult[]> {
  const [answer] = await oracle.ask([{ op, class: use.class, config: use.config ?? {}, topic: 'orders', records }])
  assert.ok(answer?.results, `${use.class}: ${answer?.error?.message}`)
  return answer.results
}

function ours({ class: name, config = {}, header }: Use) {
  const key = header === true ? 'header.converter' : 'value.converter'
  const settings = Object.entries(config).map(([setting, value]) => [`${key}.${setting}`, value])
  const props = { [key]: name, ...Object.fromEntries(settings) } as Record<string, string>
  if (header === true) {
    const converter = createHeaderConverter(key, props)
    return {
      write: ({ schema, value }: Data) => converter.fromConnectHeader('orders', 'header', schema, value),
      read: (bytes: Buffer | null) => converter.toConnectHeader('orders', 'header', bytes),
    }
  }
  const converter = createConverter(key, props, false)
  return {
    write: ({ schema, value }: Data) => converter.fromConnectData('orders', schema, value),
    read: (bytes: Buffer | null) => converter.toConnectData('orders', bytes),
  }
}

function outcome(run: () => { bytes?: Uint8Array | null; data?: unknown }): Outcome {
  try {
    const { bytes, ...rest } = run()
    return bytes === undefined ? rest : { bytes: bytes === null ? null : Buffer.from(bytes) }
  } catch (error) {
    return { error: (error as Error).message, of: errorKind(error) }
  }
}

function kafkaWrote({ error, bytes }: OracleResult): Outcome {
  if (error) return { error: String(error.message), of: error.class }
  return { bytes: typeof bytes === 'string' ? Buffer.from(bytes, 'base64') : null }
}

function kafkaRead({ error, schema, value }: OracleResult): Outcome {
  if (error) return { error: String(error.message), of: error.class }
  const data = decodeData({ schema, value } as NeutralData)
  return { data: comparableData(data.schema, data.value) }
}

function assertSame(kafka: Outcome, made: Outcome, differences: readonly Difference[], what: () => string): void {
  if (isSame(kafka, made) || differences.some(({ allows }) => allows(kafka, made))) return
  assert.fail(`${what()}\nKafka: ${shown(kafka)}\nours:  ${shown(made)}`)
}

function isSame(kafka: Outcome, made: Outcome): boolean {
  if (kafka.error !== undefined) return kafka.error === made.error && made.of === 'data'
  if (made.error !== undefined) return false
  if (kafka.bytes) return made.bytes ? kafka.bytes.equals(made.bytes) : false
  if (kafka.bytes === null) return made.bytes === null
  return JSON.stringify(kafka.data) === JSON.stringify(made.data)
}

function shown({ bytes, data, error, of }: Outcome): string {
  if (error !== undefined) return `${of}: ${error}`
  return bytes === undefined
    ? JSON.stringify(data)
    : bytes === null
      ? 'null'
      : `${bytes.toString()} (${bytes.toString('hex')})`
}

const NUMBER = /-?\d+\.\d+(E-?\d+)?/g

/** Text with its numbers as Java 19 and later writes them. At most nine digits may be those of a float. */
export function withoutDigits(bytes: Buffer): string {
  return plainText(bytes).replaceAll(NUMBER, (text) => {
    const digits = text.replace(/E.*/, '').replaceAll(/[-.]/g, '').length
    return doubleText(digits > 9 ? Number(text) : Math.fround(Number(text)))
  })
}

/** UTF-16 is compared without its zeros. */
export function plainText(bytes: Uint8Array | null | undefined): string {
  return Buffer.from((bytes ?? Buffer.alloc(0)).filter((byte) => byte !== 0)).toString()
}
