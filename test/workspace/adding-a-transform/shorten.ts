import { defineConfig } from '@tributary/config'
import { keyAndValue, transformErrors } from '@tributary/transforms'

const spec = defineConfig({
  'max.length': {
    type: 'int',
    default: 100,
    validator: { kind: 'range', min: 1 },
    importance: 'medium',
    doc: 'Longest text that is kept as it is, in characters (≥ 1).',
  },
})

/** Cuts text: `com.example.Shorten$Key` and `com.example.Shorten$Value`. */
export const shorten = keyAndValue(
  'com.example.Shorten',
  spec,
  (side, config) => {
    const max = config['max.length']
    return {
      apply: (record) => {
        const text = side.value(record)
        if (text === null) return record
        if (typeof text !== 'string') {
          throw transformErrors.TRANSFORM_DATA(`Shorten takes text, not ${typeof text}: name a field with ExtractField`)
        }
        return text.length <= max ? record : side.with(record, side.schema(record), text.slice(0, max))
      },
    }
  },
  '1.0.0',
)
