import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineConfig } from '@tributary/config'
import type { SourcePlugin } from '@tributary/connect-api'
import { definePredicate, defineTransformation } from '@tributary/transforms'
import { resolveProps } from './props.ts'

const spec = defineConfig({ pin: { type: 'password', default: null, importance: 'high', doc: 'A pin.' } })
const seal = defineTransformation({
  class: 'com.example.Seal',
  spec,
  create: () => ({ apply: (record) => record }),
})
const sealed = definePredicate({ class: 'com.example.IsSealed', spec, create: () => ({ test: () => true }) })
const transforms = { transformations: [seal], predicates: [sealed] }
const plugin = { class: 'test.Source', connector: { spec: { keys: {} } } } as unknown as SourcePlugin

test('what the specs of transforms and predicates call a password is a secret of the configuration', async () => {
  const props = {
    ...{
      transforms: 'none, a',
      'transforms.a.type': 'Seal',
      'transforms.a.pin': 'zW91-first',
      'transforms.none.pin': 'x',
    },
    ...{ predicates: 'b', 'predicates.b.type': 'com.example.IsSealed', 'predicates.b.pin': 'zW91-second' },
  }
  const { secrets } = await resolveProps({ defaults: {}, providers: {}, transforms }, plugin, props)
  assert.deepEqual(secrets, ['zW91-first', 'zW91-second'])
})
