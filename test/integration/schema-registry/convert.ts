import type { Converter, Schema, SchemaAndValue } from '@tributary/connect-api'
import { NotReadyError } from '@tributary/connect-api'

const NEVER = new AbortController().signal

/** Converts as the runtime does: waits while the converter is not ready. */
export async function whenReady<T>(convert: () => T): Promise<T> {
  for (;;) {
    try {
      return convert()
    } catch (error) {
      if (!(error instanceof NotReadyError)) throw error
      await error.ready(NEVER)
    }
  }
}

export async function write(
  converter: Converter,
  topic: string,
  schema: Schema | null,
  value: unknown,
): Promise<Buffer> {
  return Buffer.from((await whenReady(() => converter.fromConnectData(topic, schema, value)))!)
}

export function read(converter: Converter, topic: string, bytes: Uint8Array): Promise<SchemaAndValue> {
  return whenReady(() => converter.toConnectData(topic, bytes))
}
