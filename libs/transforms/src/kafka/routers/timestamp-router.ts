import { defineConfig } from '@tributary/config'
import { defineTransformation } from '../../define.ts'
import { transformErrors } from '../../errors.ts'
import { dateFormatOf } from '../dates/date-format.ts'
import { withinDates } from '../dates/within.ts'
import { KAFKA } from '../support/keys.ts'

/** Makes the topic of the old one and the time of the record. */
export const timestampRouter = defineTransformation({
  class: `${KAFKA}.TimestampRouter`,
  spec: defineConfig({
    'topic.format': {
      type: 'string',
      default: '${topic}-${timestamp}',
      importance: 'high',
      doc: 'Format string which can contain ${topic} and ${timestamp} as placeholders for the topic and timestamp, respectively.',
    },
    'timestamp.format': {
      type: 'string',
      default: 'yyyyMMdd',
      importance: 'high',
      doc: 'Format string for the timestamp that is compatible with java.text.SimpleDateFormat.',
    },
  }),
  create: ({ 'topic.format': topicFormat, 'timestamp.format': pattern }) => {
    const format = dateFormatOf('timestamp.format', pattern)
    // Most records follow one of the same topic and day.
    let last = { topic: '', time: '', named: '' }
    return {
      apply: (record) => {
        const { topic, timestamp } = record
        if (timestamp === null) {
          throw transformErrors.TRANSFORM_DATA(`Timestamp missing on record: its topic is ${topic}`)
        }
        const time = format.format(withinDates(timestamp, timestamp))
        if (topic === last.topic && time === last.time) return { ...record, topic: last.named }
        const named = topicFormat.split('${topic}').join(topic).split('${timestamp}').join(time)
        last = { topic, time, named }
        return { ...record, topic: named }
      },
    }
  },
})
