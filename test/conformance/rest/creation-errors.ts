import type { Step } from '../both-sides.ts'
import { CONFIG, create, FILE_SOURCE, patch, put, without } from './steps.ts'

const named = (more: Record<string, unknown>): unknown => ({ name: 'a', config: { ...CONFIG, ...more } })

/** Requests that POST and PUT refuse. No connector is left behind. */
export const CREATION_ERRORS: readonly Step[] = [
  ...['{', '[]', 'null', '"a"', '1', 'true', '', ' ', '{"name":"a"} x{', '{"name":"a","config":{"a":tru}}'].map(
    (body) => create(body, { differs: 'clientMistake' }),
  ),
  create(undefined, { differs: 'clientMistake' }),
  create(undefined, { differs: 'clientMistake', headers: { 'content-type': 'application/json' } }),
  ...[
    {},
    { name: 'a' },
    { name: 'a', config: null },
    { name: 'a', config: 'x' },
    { name: 'a', config: [] },
    { name: 'a', config: { a: {} } },
    { name: 'a', config: { a: [] } },
    { name: {}, config: CONFIG },
    { name: 'a', foo: 1, config: CONFIG },
    { name: 'a', initial_state: 'nope', config: CONFIG },
    { name: 'a', initial_state: '', config: CONFIG },
    { name: 'a', initial_state: 1, config: CONFIG },
  ].map((body) => create(body, { differs: 'clientMistake' })),

  create({ name: 'a', config: {} }),
  create({ name: 'a', config: { 'connector.class': null } }),
  create({ name: 'a', config: { x: 'y', 'tasks.max': 2 } }),
  ...['x', '', ' ', ' FileStreamSource ', 'filestreamsource', 'FileStream', `${FILE_SOURCE}x`].map((name) =>
    create(named({ 'connector.class': name }), { differs: 'unknownClass' }),
  ),
  create({ name: 'a', config: without('topic') }),
  create({ name: 'a', config: { ...without('topic'), 'tasks.max': 0, 'batch.size': 'x' } }),
  create(named({ 'tasks.max': 'x' })),
  create(named({ 'tasks.max': 0, 'errors.tolerance': 'some' })),
  create(named({ topic: '' })),
  create(named({ 'batch.size': 'x' })),
  create(named({ x: null })),
  create(named({ x: null, y: null, 'tasks.max': null })),
  create(named({ name: 'b' })),
  create(named({ name: null, x: null })),
  create({ name: '', config: CONFIG }),
  create({ name: ' ', config: CONFIG }),
  create({ name: null, config: CONFIG }),
  create({ config: CONFIG }),
  create({ config: { ...CONFIG, name: 'q' } }),
  create({ name: 'a\u0001b', config: CONFIG }),
  create({ name: 'a\nb', config: CONFIG }),
  create(named({ file: '${file:/none:k}' }), { differs: 'clientMistake' }),
  create(named({ 'value.converter': 'nix' })),
  create(named({ 'header.converter': 'nix', 'key.converter': FILE_SOURCE })),
  create({ name: 'a', config: { ...without('file'), 'exactly.once.support': 'required' } }),

  put('/connectors/%20/config', CONFIG),
  put('/connectors/a%01b/config', CONFIG),
  put('/connectors/a/config', { ...CONFIG, name: 'zz' }),
  put('/connectors/a/config', { 'auto.evolve': 'true' }),
  put('/connectors/a/config', {}),
  put('/connectors/a/config', { ...CONFIG, 'connector.class': 'x' }, { differs: 'unknownClass' }),
  put('/connectors/a/config', { ...CONFIG, x: null }),
  put('/connectors/a/config', without('topic')),
  put('/connectors/a/config', { name: 'b', config: CONFIG }, { differs: 'clientMistake', lenient: 'wrappedName' }),
  ...['', 'null', '[]', '"x"', '{"a":{}}', '{'].map((body) =>
    put('/connectors/a/config', body, { differs: 'clientMistake' }),
  ),
  put('/connectors/a/config', undefined, { differs: 'clientMistake' }),
  patch('/connectors/a/config', {}),
  patch('/connectors/a/config', CONFIG),
]
