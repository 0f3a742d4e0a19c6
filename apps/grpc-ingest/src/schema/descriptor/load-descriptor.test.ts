import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { ConnectError } from '@tributary/connect-api'
import { decodeFileSet } from './decode-file-proto.ts'
import { loadDescriptorSet, loadDescriptorText } from './load-descriptor.ts'
import { WireWriter } from '../wire/wire-writer.ts'

const LEN = 2

/** A FileDescriptorSet: each file with its imports, and one message whose field `f` is of the given type. */
function setOf(...files: { name: string; imports?: string[]; message: string; fieldType?: string }[]): Buffer {
  const set = new WireWriter()
  const text = (out: WireWriter, number: number, value: string): WireWriter =>
    out.tag(number, LEN).chunk(Buffer.from(value))
  for (const { name, imports = [], message, fieldType } of files) {
    const file = text(text(new WireWriter(), 1, name), 2, 'acme')
    for (const i of imports) text(file, 3, i)
    const type = text(new WireWriter(), 1, message)
    if (fieldType !== undefined) {
      const field = text(new WireWriter(), 1, 'f').tag(3, 0).varint(1n).tag(4, 0).varint(1n).tag(5, 0).varint(11n)
      type.tag(2, LEN).chunk(text(field, 6, fieldType).finish())
    }
    set.tag(1, LEN).chunk(text(file.tag(4, LEN).chunk(type.finish()), 12, 'proto3').finish())
  }
  return set.finish()
}

const order = {
  name: 'order.proto',
  imports: ['price.proto', 'google/protobuf/any.proto'],
  message: 'Order',
  fieldType: '.acme.Price',
}
const price = { name: 'price.proto', message: 'Price' }

async function refused(setting: string): Promise<string> {
  try {
    await loadDescriptorText(setting)
  } catch (error) {
    assert.ok(error instanceof ConnectError)
    assert.deepEqual([error.kind, error.field], ['config', 'grpc.proto.descriptor'])
    return error.message
  }
  throw new assert.AssertionError({ message: 'it was taken' })
}

describe('grpc.proto.descriptor', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'descriptor-'))
    await mkdir(join(folder, 'api', 'v1'), { recursive: true })
  })
  after(() => rm(folder, { recursive: true }))

  it('is a path, or base64 with or without padding and line ends', async () => {
    const set = setOf(price, order)
    const path = join(folder, 'stream.desc')
    await writeFile(path, set)
    const base64 = set.toString('base64')
    for (const setting of [path, ` ${path} `, base64, base64.replace(/=+$/, ''), base64.replace(/(.{40})/g, '$1\n')]) {
      const root = await loadDescriptorText(setting)
      assert.equal(root.messages.get('acme.Order')?.fields[0]?.messageType, root.messages.get('acme.Price'))
    }
  })

  it('may have its files in any order and lack the well-known ones', async () => {
    const root = await loadDescriptorText(setOf(order, price).toString('base64'))
    assert.ok(root.messages.has('acme.Order'))
    assert.ok(root.messages.has('google.protobuf.Any'))
    assert.ok(root.messages.has('google.protobuf.Timestamp'), 'for an Any')
  })

  it('that lacks an import says which, and what to do', async () => {
    const text = await refused(setOf(order).toString('base64'))
    assert.match(
      text,
      /^Failed to load proto descriptor: Invalid proto descriptor: acme\.Order\.f: "\.acme\.Price" is not defined\./,
    )
    assert.match(
      text,
      /"order\.proto" imports "price\.proto", which the descriptor does not contain: .*--include_imports/,
    )
  })

  it('that lacks an import of which nothing is needed is taken', () => {
    assert.ok(loadDescriptorSet(setOf({ ...price, imports: ['options.proto'] }), 'x').messages.has('acme.Price'))
  })

  it('twice the same file counts once; two files with one name of a type are refused', async () => {
    assert.ok(loadDescriptorSet(setOf(price, price), 'x').messages.has('acme.Price'))
    const text = await refused(setOf(price, { ...price, name: 'b.proto' }).toString('base64'))
    assert.match(text, /acme\.Price: "Price" is already defined in file "price\.proto"\./)
  })

  it('that is nothing of the kind is refused, with what the worker tried', async () => {
    const neither =
      /^Failed to load proto descriptor: Proto descriptor is neither a valid file path nor base64 encoded data/
    assert.match(await refused('no such file!'), neither)
    assert.match(await refused(join(folder, 'missing.desc')), neither)
    assert.match(await refused('/opt/kafka/proto/stream'), neither)
    assert.match(await refused(folder), /Cannot read .* no regular file/)
    assert.match(await refused('CgIKBQ=='), neither)
    await writeFile(join(folder, 'bad.desc'), 'not a descriptor')
    assert.match(await refused(join(folder, 'bad.desc')), /bad\.desc is not a FileDescriptorSet/)
    await writeFile(join(folder, 'empty.desc'), '')
    assert.match(await refused(join(folder, 'empty.desc')), /holds no file/)
  })

  it('is .proto text, which can import the well-known types', async () => {
    const text =
      'syntax = "proto3";\nimport "google/protobuf/timestamp.proto";\nmessage M { google.protobuf.Timestamp t = 1; }'
    const root = await loadDescriptorText(text)
    assert.equal(root.messages.get('M')?.fields[0]?.messageType?.fullName, 'google.protobuf.Timestamp')
    assert.match(
      await refused(`${text}\nimport "other.proto";`),
      /import "other\.proto": text can import only google\/protobuf/,
    )
    assert.match(await refused('syntax = "proto3"; message M { string = 1; }'), /Invalid proto descriptor: .*line 1/)
  })

  it('is a .proto file, whose imports lie beside or above it', async () => {
    const path = join(folder, 'api', 'v1', 'feed.proto')
    await writeFile(join(folder, 'api', 'v1', 'side.proto'), 'syntax = "proto3"; package a; enum Side { NONE = 0; }')
    await writeFile(
      join(folder, 'money.proto'),
      'syntax = "proto3"; package a; import "api/v1/side.proto"; message Money { Side s = 1; }',
    )
    await writeFile(path, 'syntax = "proto3"; package a; import "money.proto"; message Feed { Money m = 1; }')
    const root = await loadDescriptorText(path)
    assert.equal(root.messages.get('a.Feed')?.fields[0]?.messageType?.fields[0]?.enumType?.fullName, 'a.Side')
    await writeFile(path, 'syntax = "proto3"; import "nowhere.proto";')
    assert.match(await refused(path), /import "nowhere\.proto": not found beside or above/)
  })

  it('is decoded to what it says', () => {
    const [file] = decodeFileSet(setOf(order))
    assert.deepEqual(
      [file?.name, file?.package, file?.syntax, file?.dependency],
      ['order.proto', 'acme', 'proto3', order.imports],
    )
  })
})
