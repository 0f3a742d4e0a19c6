import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConnectError } from '@tributary/connect-api'
import { reflectSchema, type Ask } from './reflection.ts'
import { WireReader } from '../wire/wire.ts'
import { WireWriter } from '../wire/wire-writer.ts'

const LEN = 2
const text = (out: WireWriter, number: number, value: string): WireWriter =>
  out.tag(number, LEN).chunk(Buffer.from(value))
const nest = (number: number, content: Buffer): Buffer => new WireWriter().tag(number, LEN).chunk(content).finish()

/** A FileDescriptorProto with what `body` adds. */
function file(name: string, imports: string[], body: Buffer): Buffer {
  const out = text(text(new WireWriter(), 1, name), 2, 'p')
  for (const i of imports) text(out, 3, i)
  return out.raw(body).finish()
}

const field = text(
  text(new WireWriter(), 1, 'm').tag(3, 0).varint(1n).tag(4, 0).varint(1n).tag(5, 0).varint(11n),
  6,
  '.p.Money',
).finish()
const event = nest(4, Buffer.concat([text(new WireWriter(), 1, 'Event').finish(), nest(2, field)]))
const method = text(text(text(new WireWriter(), 1, 'Watch'), 2, '.p.Event'), 3, '.p.Event')
  .tag(6, 0)
  .varint(1n)
  .finish()
const service = nest(6, Buffer.concat([text(new WireWriter(), 1, 'Feed').finish(), nest(2, method)]))
const FILES: Record<string, Buffer> = {
  'feed.proto': file(
    'feed.proto',
    ['money.proto', 'gone/options.proto', 'google/protobuf/any.proto'],
    Buffer.concat([event, service]),
  ),
  'money.proto': file('money.proto', ['feed.proto'], nest(4, text(new WireWriter(), 1, 'Money').finish())),
}

/** A server with reflection of one version; records what it was asked. */
function server(version: string, asked: string[] = []): Ask {
  return async (path, request) => {
    if (path !== `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`) {
      throw Object.assign(new Error('unknown method'), { status: 'UNIMPLEMENTED' })
    }
    const reader = new WireReader(request)
    const number = reader.tag() >>> 3
    const name = Buffer.from(reader.view()).toString()
    asked.push(name)
    if (number === 7) return nest(6, nest(1, text(new WireWriter(), 1, 'p.Feed').finish()))
    const found = number === 4 ? (name === 'p.Feed' ? FILES['feed.proto'] : undefined) : FILES[name]
    if (!found) return nest(7, text(new WireWriter().tag(1, 0).varint(5n), 2, `not found: ${name}`).finish())
    return nest(4, nest(1, found))
  }
}

async function refused(run: Promise<unknown>): Promise<ConnectError> {
  const error: unknown = await run.then(
    () => null,
    (e: unknown) => e,
  )
  assert.ok(error instanceof ConnectError)
  return error
}

describe('server reflection', () => {
  it('of either version gives the file of the service and its imports, each asked for once', async () => {
    for (const version of ['v1', 'v1alpha']) {
      const asked: string[] = []
      const root = await reflectSchema(server(version, asked), 'p.Feed')
      assert.equal(root.services.get('p.Feed')?.methods.get('Watch')?.serverStreaming, true)
      assert.equal(root.messages.get('p.Event')?.fields[0]?.messageType?.fullName, 'p.Money')
      assert.deepEqual(asked, ['p.Feed', 'money.proto', 'gone/options.proto'])
      assert.equal(root.origin, 'reflection')
    }
  })

  it('that does not know the service names those that it has', async () => {
    const error = await refused(reflectSchema(server('v1'), 'p.Nope'))
    assert.equal(error.field, 'grpc.service.name')
    assert.match(
      error.message,
      /Service not found on the server: p\.Nope \(not found: p\.Nope\)\. It offers: p\.Feed\./,
    )
  })

  it('that there is none of says to set the descriptor', async () => {
    const error = await refused(reflectSchema(server('v0'), 'p.Feed'))
    assert.deepEqual([error.code, error.kind, error.field], ['GRPC_REFLECTION', 'config', 'grpc.proto.descriptor'])
    assert.match(error.message, /Set grpc\.proto\.descriptor/)
  })

  it('that fails otherwise fails with that', async () => {
    const gone = Object.assign(new Error('gone'), { status: 'UNAVAILABLE' })
    await assert.rejects(
      reflectSchema(() => Promise.reject(gone), 'p.Feed'),
      gone,
    )
  })

  it('that sends nonsense is a clear error', async () => {
    for (const answer of [Buffer.from('ff', 'hex'), nest(4, nest(1, Buffer.from('0a05', 'hex')))]) {
      const error = await refused(reflectSchema(async () => answer, 'p.Feed'))
      assert.equal(error.field, 'grpc.proto.descriptor')
    }
  })
})
