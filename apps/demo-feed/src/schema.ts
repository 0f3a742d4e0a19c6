import { readFileSync } from 'node:fs'
import protobuf from 'protobufjs'
import descriptor from 'protobufjs/ext/descriptor.js'

const TIMESTAMP = 'google/protobuf/timestamp.proto'

/** The files by package. protobufjs keeps neither names nor imports when it creates descriptors. */
const FILES: Readonly<Record<string, { name: string; dependency: string[] }>> = {
  'tributary.demo.v1': { name: 'market_data.proto', dependency: [TIMESTAMP] },
  teststream: { name: 'test_stream.proto', dependency: [] },
  'google.protobuf': { name: TIMESTAMP, dependency: [] },
}

function load(...names: string[]): protobuf.Root {
  const root = new protobuf.Root()
  root.addJSON(protobuf.common.get(TIMESTAMP)!.nested!)
  for (const name of names) {
    const source = readFileSync(new URL(`../proto/${name}`, import.meta.url), 'utf8')
    protobuf.parse(source, root, { keepCase: true })
  }
  root.resolveAll()
  return root
}

/** The services that the feed serves. */
export const feedSchema = load('market_data.proto', 'test_stream.proto')

/** The messages of the reflection service. */
export const reflectionSchema = load('reflection.proto')

export interface DescriptorFile {
  readonly name: string
  /** A FileDescriptorProto. */
  readonly bytes: Uint8Array
}

/** The descriptors of the feed's services, for reflection. */
export function feedDescriptors(): DescriptorFile[] {
  return feedSchema.toDescriptor('proto3').file.map((file) => {
    const known = FILES[file.package!]!
    return { name: known.name, bytes: descriptor.FileDescriptorProto.encode({ ...file, ...known }).finish() }
  })
}
