import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import type { ConnectRecord } from '@tributary/connect-api'
import { TRANSFORMATIONS } from '@tributary/transforms'

interface Example {
  readonly config: Readonly<Record<string, string>>
  readonly before: Partial<ConnectRecord>
  readonly after: Partial<ConnectRecord> | null
}

const page = readFileSync(new URL('../../docs/transforms/kafka.md', import.meta.url), 'utf8')
const examples = [...page.matchAll(/```json\n(.*?)```/gs)].map(([, json]) => JSON.parse(json!) as Example)

describe("examples of the page on Kafka's transforms", () => {
  for (const { config, before, after } of examples) {
    it(`are true for ${JSON.stringify(config)}`, () => {
      const plugin = TRANSFORMATIONS.find(({ class: name }) => name === config['type'])!
      const record = { topic: 'topic', key: null, value: null, timestamp: null, ...before }
      const result = plugin.create(config).apply<ConnectRecord>(record)
      if (after === null || result === null) return assert.equal(result, after)
      const members = Object.keys(after) as (keyof ConnectRecord)[]
      const headers = result.headers?.map(({ name, value }) => ({ name, value }))
      const shown = { ...result, ...(headers && { headers }) }
      assert.deepEqual(Object.fromEntries(members.map((member) => [member, shown[member]])), after)
    })
  }

  it('show every transform', () => {
    const shown = new Set(examples.map(({ config }) => config['type']!.replace(/\$.*/, '')))
    const classes = TRANSFORMATIONS.map(({ class: name }) => name.replace(/\$.*/, ''))
    const kafka = new Set(classes.filter((name) => name.startsWith('org.apache.kafka.')))
    assert.deepEqual(
      [...kafka].filter((name) => !shown.has(name)),
      [],
    )
  })
})
