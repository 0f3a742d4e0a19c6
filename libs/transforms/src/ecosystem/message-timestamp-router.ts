import { defineConfig } from '@tributary/config'
import { isPlainObject } from '@tributary/connect-api'
import { defineTransformation } from '../define.ts'
import { transformErrors } from '../errors.ts'
import { type DateFormat, dateFormatOf } from '../kafka/dates/date-format.ts'
import { withinDates } from '../kafka/dates/within.ts'
import { entryOf } from '../kafka/support/require.ts'
import { CONFLUENT, CONFLUENT_VERSION } from './confluent.ts'

/** Makes the topic of the old one and of a time in the value. */
export const messageTimestampRouter = defineTransformation({
  class: `${CONFLUENT}.MessageTimestampRouter`,
  version: CONFLUENT_VERSION,
  spec: defineConfig({
    'topic.format': {
      type: 'string',
      default: '${topic}-${timestamp}',
      importance: 'high',
      doc: 'Format string which can contain ${topic} and ${timestamp} as placeholders for the topic and timestamp, respectively.',
    },
    'message.timestamp.format': {
      type: 'string',
      default: '',
      importance: 'high',
      doc: 'The format of the time in the value, compatible with java.text.SimpleDateFormat. Empty: the time is a number of ms since the epoch, a timestamp, or a text as in ISO 8601.',
    },
    'topic.timestamp.format': {
      type: 'string',
      default: 'yyyyMMdd',
      importance: 'high',
      doc: 'The format of the time in the topic, compatible with java.text.SimpleDateFormat, in UTC.',
    },
    'message.timestamp.keys': {
      type: 'list',
      default: [],
      importance: 'high',
      doc: 'Names of fields of the value. The first one that is there has the time; without any it is the time of the record.',
    },
  }),
  create: (config) => {
    const message = config['message.timestamp.format']
    const read = message === '' ? null : dateFormatOf('message.timestamp.format', message)
    const write = dateFormatOf('topic.timestamp.format', config['topic.timestamp.format'])
    const keys = config['message.timestamp.keys']
    const topicFormat = config['topic.format']
    return {
      apply: (record) => {
        const found = keys.length === 0 ? record.timestamp : timeIn(record.value, keys)
        const ms = millisecondsOf(found, read)
        if (ms === null) {
          const where =
            keys.length === 0
              ? 'the record has no timestamp'
              : `no time is in the fields ${keys.join(', ')} of the value`
          throw transformErrors.TRANSFORM_DATA(`${where}: its topic is ${record.topic}`)
        }
        const time = write.format(withinDates(ms, ms))
        const topic = topicFormat.split('${topic}').join(record.topic).split('${timestamp}').join(time)
        return { ...record, topic }
      },
    }
  },
})

function timeIn(value: unknown, keys: readonly string[]): unknown {
  if (!(value instanceof Map) && !isPlainObject(value)) return null
  for (const key of keys) {
    const found = entryOf(value as Readonly<Record<string, unknown>>, key)
    if (found !== null) return found
  }
  return null
}

/** null: it is no time. */
function millisecondsOf(time: unknown, format: DateFormat | null): number | null {
  if (time instanceof Date) return time.getTime()
  if (typeof time === 'number' || typeof time === 'bigint') return Number(time)
  if (typeof time !== 'string') return null
  const ms = format === null ? Date.parse(time) : format.parse(time)
  if (ms === null || Number.isNaN(ms)) {
    throw transformErrors.TRANSFORM_DATA(
      `the time ${time.slice(0, 100)} in the value does not have the format ${format?.pattern ?? 'of ISO 8601'}`,
    )
  }
  return ms
}
